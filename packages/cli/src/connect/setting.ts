// SPDX-License-Identifier: Apache-2.0

/** What the environment says; an empty text says nothing. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** A setting in force, and who said so: an option, a variable of the environment, or nobody. */
export interface Setting {
  readonly value: string;
  readonly origin: string;
}

/** The option where it was given, else the variable; undefined where neither says anything. */
export function findSetting(
  given: { readonly option: string; readonly value: string | undefined },
  variable: string,
  env: Environment,
): Setting | undefined {
  if (given.value !== undefined) return { value: given.value, origin: given.option };
  const value = env[variable];
  return value === undefined || value === "" ? undefined : { value, origin: variable };
}
