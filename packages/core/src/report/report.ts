// SPDX-License-Identifier: Apache-2.0

import type { HostSnapshot } from "../device/host-snapshot.ts";
import type { Digest, Inventory } from "./inventory.ts";

/** The name and version of the format of a report. */
export const REPORT_FORMAT = "berth.report/v1";

/** Where a report stands in the life of its host's agent. */
export interface ReportOrder {
  /** Grows with every start of the agent. */
  readonly generation: number;
  /** Grows by one with every report of a generation. */
  readonly sequence: number;
}

interface ReportHead extends ReportOrder {
  readonly report: typeof REPORT_FORMAT;
  /** The host that reports, as it was enrolled. */
  readonly host: string;
  /** Digest of the inventory that the server has after this report. */
  readonly digest: Digest;
}

/** Shapes that the server may lack, by digest, each as the text that the digest names. */
export type ShapesSent = Readonly<Record<Digest, string>>;

/** What an agent tells of its host. Documents in it are JSON values as `inventory/<host>` and packDelta write them. */
export type Report =
  /** Nothing changed: this is all that travels. */
  | (ReportHead & { readonly kind: "unchanged" })
  /** What changed since the inventory called `base`. */
  | (ReportHead & {
      readonly kind: "delta";
      readonly base: Digest;
      readonly delta: Readonly<Record<string, unknown>>;
      readonly shapes?: ShapesSent;
    })
  /** All of it. */
  | (ReportHead & {
      readonly kind: "snapshot";
      readonly inventory: Readonly<Record<string, unknown>>;
      readonly shapes?: ShapesSent;
    });

/** What a server knows of one host: what stands in `inventory/<host>`, and the report that it came from. */
export interface HostState extends ReportOrder {
  readonly host: string;
  readonly digest: Digest;
  readonly inventory: Inventory;
}

/** Why a report is refused: it says something that cannot be, and sending more of the same would not help. */
export type RefusalCode =
  "report_wrong_host" | "report_out_of_order" | "report_shape_mismatch" | "report_too_large" | "report_malformed";

/**
 * What comes of a report. `need-snapshot`: the server cannot tell what it means without all of it. `need-shapes`: send a
 * snapshot with these shapes. `applied` without `news` says that only the order moved on.
 */
export type Applied =
  | {
      readonly kind: "applied";
      readonly state: HostState;
      /** What changed comes to: the document to store, at most 64 KiB, and the snapshot that it joins to. */
      readonly news?: { readonly text: string; readonly snapshot: HostSnapshot };
      /** Shapes of this report that the catalogue lacks, by digest: to be stored before the document. */
      readonly shapes: ReadonlyMap<Digest, string>;
    }
  | { readonly kind: "need-snapshot"; readonly why: string }
  | { readonly kind: "need-shapes"; readonly shapes: readonly [Digest, ...Digest[]] }
  | {
      readonly kind: "refused";
      readonly code: RefusalCode;
      readonly message: string;
      readonly lines: readonly string[];
    };
