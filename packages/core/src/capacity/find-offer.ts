// SPDX-License-Identifier: Apache-2.0

import type { Offer } from "./pool.ts";

/** Lists shorter than this are looked through: that is as fast as any index. */
const FEW = 32;
/** How often in a row one list is looked through before it is indexed. */
const PATIENCE = 16;

/** What was found out about the list that was asked last. It is only faster to ask it again, never another answer. */
interface LastAsked {
  offers: readonly Offer[];
  times: number;
  byType: ReadonlyMap<string, ReadonlyMap<string, Offer>> | undefined;
}

const last: LastAsked = { offers: [], times: 0, byType: undefined };

/**
 * What a parent said of a type: the first such offer, or undefined where it said nothing. With SR-IOV every VF offers every
 * type, and each place of the host asks after all of them: who asks one list again and again is answered from an index.
 */
export function findOffer(
  offers: readonly Offer[],
  { parent, type }: { readonly parent: string; readonly type: string },
): Offer | undefined {
  if (offers.length >= FEW) {
    if (last.offers !== offers) {
      last.offers = offers;
      last.times = 0;
      last.byType = undefined;
    }
    last.times += 1;
    if (last.times > PATIENCE) {
      last.byType ??= indexOffers(offers);
      return last.byType.get(type)?.get(parent);
    }
  }
  return offers.find((offer) => offer.parent === parent && offer.type === type);
}

function indexOffers(offers: readonly Offer[]): ReadonlyMap<string, ReadonlyMap<string, Offer>> {
  const byType = new Map<string, Map<string, Offer>>();
  for (const offer of offers) {
    const own = byType.get(offer.type) ?? new Map<string, Offer>();
    byType.set(offer.type, own);
    if (!own.has(offer.parent)) own.set(offer.parent, offer);
  }
  return byType;
}
