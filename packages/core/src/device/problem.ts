// SPDX-License-Identifier: Apache-2.0

/** Everything that can be wrong with what a host shows. Codes are an interface: never changed or reused. */
export type ProblemCode =
  | "attribute_unreadable"
  | "attribute_malformed"
  | "attribute_too_long"
  | "attribute_missing"
  | "link_broken"
  | "link_outside_root"
  | "link_loop"
  | "name_malformed"
  | "directory_unreadable"
  | "device_without_type"
  | "device_without_parent"
  | "facts_disagree"
  | "pool_owner_unknown"
  | "pool_law_unknown"
  | "tree_incomplete"
  | "too_many_entries"
  | "users_unseen"
  | "changed_while_read"
  | "fact_script_failed"
  | "inventory_too_large"
  /** What the store holds of the host cannot be read, so nothing is known of what it says. */
  | "document_unreadable";

/** Something that could not be read, or that cannot be true. It travels beside what could be read. */
export interface Problem {
  readonly code: ProblemCode;
  readonly host: string;
  /** Absolute path on the host. */
  readonly path: string;
  /** One sentence: what was found and what was expected. */
  readonly message: string;
  /** The offending raw text, at most 200 characters, control characters escaped. */
  readonly text?: string;
}
