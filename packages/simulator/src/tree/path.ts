// SPDX-License-Identifier: Apache-2.0

/** The parts of an absolute path, empty ones and `.` left out. `..` is kept: it means what the walk makes of it. */
export function splitPath(path: string): string[] {
  return path.split("/").filter((part) => part !== "" && part !== ".");
}

/** Puts parts together to an absolute path. */
export function joinPath(parts: readonly string[]): string {
  return `/${parts.join("/")}`;
}

/** The directory that an absolute path stands in. */
export function parentPath(path: string): string {
  return joinPath(splitPath(path).slice(0, -1));
}

/** The last part of an absolute path. */
export function baseName(path: string): string {
  return splitPath(path).at(-1) ?? "";
}

/**
 * The text of a link as sysfs makes it: up from the link's directory to the nearest common directory, then down to the
 * target (fs/sysfs/symlink.c, fs/kernfs/symlink.c). Both paths are absolute and hold no links.
 */
export function formatRelativeTarget(link: string, target: string): string {
  const from = splitPath(link).slice(0, -1);
  const to = splitPath(target);
  let common = 0;
  while (common < from.length && common < to.length && from[common] === to[common]) common += 1;
  // A link to an ancestor goes up past it and names it again, as kernfs does: `device -> ../../../0000:00:10.0`.
  if (common === to.length && common > 0) common -= 1;
  return [...from.slice(common).map(() => ".."), ...to.slice(common)].join("/");
}
