// SPDX-License-Identifier: Apache-2.0

/** What the agent knows of one parent when it makes or unmakes a device there. */
export interface ParentFacts {
  readonly framework: "mdev" | "vendor-vfio" | "function";
  /** Which text `create` takes: a UUID alone, or a count with it (section 2.1). */
  readonly create: "plain" | "aggregate" | "instances";
  /** Where a device shows the count that it was created with; absent: where the proposals have it. */
  readonly countAttribute?: string;
  /** Who makes devices here. */
  readonly tool: "sysfs" | "mdevctl";
}

/** The parents of a host by id. */
export type HostFacts = ReadonlyMap<string, ParentFacts>;

/** What stands at the identity of a claimed device. */
export type FoundDevice =
  | {
      readonly kind: "nothing";
      /** mdevctl has a definition of that UUID under that parent. */
      readonly isDefined: boolean;
    }
  | {
      readonly kind: "device";
      readonly parent: string;
      /** Type id; absent where it could not be read. */
      readonly type?: string;
      /** By the agent's own durable record: made for this very claim, for something else, or not written down. */
      readonly maker: "claim" | "other" | "unknown";
      /** Who uses it: open files, running domains, defined domains; for what Berth did not make also other definitions. */
      readonly users: readonly string[];
      /** Text of each attribute that the claim sets or checks, by the claim's name for it. Missing: not there, not readable. */
      readonly shown: ReadonlyMap<string, string>;
      readonly isDefined: boolean;
    };

/** What an agent finds of a claim after a restart, or whenever it looks: by the occupant id of each device. */
export interface FoundClaim {
  readonly facts: HostFacts;
  readonly devices: ReadonlyMap<string, FoundDevice>;
}
