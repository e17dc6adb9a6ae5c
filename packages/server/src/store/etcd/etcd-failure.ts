// SPDX-License-Identifier: Apache-2.0

import { BerthError } from "@berth/core/protocol/berth-error";
import { Code, ConnectError } from "@connectrpc/connect";

/**
 * What a failed call says. `refused`: etcd read the request and did not do it; asking again changes nothing. `unknown`:
 * no answer, or one from a member that cannot know; the request may have been done, or may yet be.
 */
export type Failure = { readonly kind: "refused"; readonly error: Error } | { readonly kind: "unknown" };

const REFUSALS: ReadonlySet<Code> = new Set([
  Code.InvalidArgument,
  Code.NotFound,
  Code.AlreadyExists,
  Code.PermissionDenied,
  Code.FailedPrecondition,
  Code.OutOfRange,
  Code.Unimplemented,
  Code.Unauthenticated,
]);

/** Sorts a failure of a call. What is no failure of the transport is a mistake of ours, and is refused as it is. */
export function parseFailure(error: unknown): Failure {
  if (!(error instanceof ConnectError)) {
    return { kind: "refused", error: error instanceof Error ? error : new Error(String(error)) };
  }
  const { code, rawMessage } = error;
  if (code === Code.ResourceExhausted && rawMessage.includes("database space exceeded")) {
    const text = "etcd has no room left: compact, defragment, then disarm its NOSPACE alarm";
    return { kind: "refused", error: new BerthError("store_full", text, { cause: error }) };
  }
  if (code === Code.ResourceExhausted && rawMessage.includes("larger than max")) {
    return { kind: "refused", error: new RangeError(`etcd refused a request: ${rawMessage}`, { cause: error }) };
  }
  if (!REFUSALS.has(code)) return { kind: "unknown" };
  if (code === Code.NotFound && rawMessage.includes("lease not found")) {
    return { kind: "refused", error: leaseEnded(error) };
  }
  if (code === Code.OutOfRange || code === Code.InvalidArgument) {
    return { kind: "refused", error: new RangeError(`etcd refused a request: ${rawMessage}`, { cause: error }) };
  }
  const refused = new BerthError("store_unavailable", `etcd refused a request: ${rawMessage}`, { cause: error });
  return { kind: "refused", error: refused };
}

/** The error of a lease that is no more. */
export function leaseEnded(cause?: unknown): BerthError {
  return new BerthError("store_lease_ended", "A lease has ended", { cause });
}

/** The error of a call that nobody answered in time. */
export function noAnswer(endpoints: readonly string[], cause: unknown): BerthError {
  const why = causeOf(cause);
  const text = `No etcd member answered${why === "" ? "" : `, the last one said: ${why}`}`;
  return new BerthError("store_unavailable", text, { details: endpoints, cause });
}

/** The error of every call to a store that was closed. */
export function storeClosed(): BerthError {
  return new BerthError("store_unavailable", "The store is closed");
}

/** The innermost message: a certificate that was refused, a port where nobody listens. */
function causeOf(error: unknown): string {
  let said = "";
  const seen = new Set<unknown>();
  for (let one = error; one instanceof Error && !seen.has(one); one = one.cause) {
    seen.add(one);
    if (one.message !== "") said = one.message;
  }
  return said.slice(0, 200);
}
