// SPDX-License-Identifier: Apache-2.0

/** What the operator allows. The default is the strict one. */
export interface Policy {
  /** D2: accept a type that the destination names in `compatible_type`, at confidence `cross-type`. */
  readonly crossType: boolean;
  /** Moves between an mdev device and a physical or vendor-framework function with the same declared type. */
  readonly hybrid: boolean;
  /** What equal builds of the vendor driver may stand in for. */
  readonly sameBuild: {
    /** R4 (b): a software version that neither side exports. */
    readonly softwareVersion: boolean;
    /** R5: a compatible field that one side lacks. */
    readonly compatibleFields: boolean;
  };
  /** R4 (c): recorded successes of this very pair of classes after which an unknown version is accepted; 0: never. */
  readonly acceptAfterSuccesses: number;
  /** R10 is skipped, and every answer says so. */
  readonly assumePlatform: boolean;
  /** D30: type ids that the operator says are one and the same; hints only, never a yes. */
  readonly typeAliases: readonly (readonly string[])[];
  /** D3: units per device of a type, as exact fractions `n` or `n/d`; hints only, never a yes. */
  readonly unitMap: Readonly<Record<string, string>>;
  /** R3: signatures that the operator declares for physical functions, `vvvv:dddd` or a PCI address on a host to type id. */
  readonly signatures: readonly SignatureDeclaration[];
  /** Facts that only the operator knows, applied at the lowest trust. */
  readonly facts: readonly FactDeclaration[];
}

/** "This function carries state of that type." */
export interface SignatureDeclaration {
  /** Host name, or `*`. */
  readonly host: string;
  /** PCI address, or `vvvv:dddd`, or `vvvv:dddd:ssss:ssss`. */
  readonly function: string;
  /** Such as `mlx5-vf-v1`: driver prefix, `-`, name. */
  readonly type: string;
}

/** "On that host, this fact has this value." */
export interface FactDeclaration {
  readonly host: string;
  /** Device or parent id; absent: the whole host. */
  readonly subject?: string;
  readonly name: string;
  readonly value: string;
}

export const STRICT_POLICY: Policy = {
  crossType: false,
  hybrid: false,
  sameBuild: { softwareVersion: true, compatibleFields: true },
  acceptAfterSuccesses: 0,
  assumePlatform: false,
  typeAliases: [],
  unitMap: {},
  signatures: [],
  facts: [],
};
