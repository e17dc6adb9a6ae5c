// SPDX-License-Identifier: Apache-2.0

import type { Strategy } from "../../placement/request.ts";
import type { CheckRequest } from "./requests.ts";

/** Which VM: its id on a host. */
export interface VmReference {
  readonly host: string;
  readonly vm: string;
}

/** Body of `POST /v1/claims`. */
export interface ClaimBody {
  /** A device of the fleet, a VM with all its devices, or a bare profile. */
  readonly for: { readonly host: string; readonly device: string } | VmReference | { readonly profile: object };
  /** Only this host; absent: the best candidates, one after the other. */
  readonly to?: string;
  /** How long it is held, seconds, 1 to 86400; 600 unless said. */
  readonly ttlSeconds?: number;
  /** Have the devices made at once. */
  readonly make?: boolean;
  /** Decide and write nothing. */
  readonly dryRun?: boolean;
  readonly strategy?: Strategy;
  readonly exceptHosts?: readonly string[];
}

/** Body of `POST /v1/adoptions` and of `POST /v1/adoptions/remove`. */
export type AdoptionBody =
  { readonly host: string; readonly parent: string } | { readonly host: string; readonly vm: string };

/** Body of `POST /v1/hosts/{host}/cordon`. */
export interface CordonBody {
  readonly reason?: string;
}

/** Body of `POST /v1/enrolments`. */
export interface EnrolmentBody {
  /** The name of the host. */
  readonly host: string;
  /** 60 to 604800; 3600 unless said. */
  readonly ttlSeconds?: number;
}

/** Body of `POST /v1/probes`: the ends as in a check; the destination is a type on a parent, or an unused device. */
export interface ProbeBody {
  readonly source: Exclude<CheckRequest["source"], { readonly profile: object }>;
  readonly destination:
    | { readonly host: string; readonly parent: string; readonly type: string }
    | { readonly host: string; readonly device: string };
}

/** Body of `POST /v1/claims/{id}/commit`. */
export interface CommitBody {
  /**
   * What becomes of the devices that the VM left: `release` (unless said): the claim that holds them is given back;
   * `vacate`: also such as Berth did not make are taken away, once nobody uses them; `keep`: they stay as they are.
   */
  readonly source?: "release" | "vacate" | "keep";
}
