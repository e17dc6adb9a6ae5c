// SPDX-License-Identifier: Apache-2.0

import { Option, type Command } from "commander";
import { STRATEGIES, type Strategy } from "@berth/core/placement/request";
import type { ClaimAnswer, ClaimDecisionAnswer } from "@berth/core/protocol/api/control-answers";
import type { ClaimBody } from "@berth/core/protocol/api/control-requests";
import type { ConnectionOptions } from "../connect/connection.ts";
import type { ServerLink } from "../connect/server-link.ts";
import { EXIT, type ExitCode } from "../exit-code.ts";
import { parseDuration } from "../input/duration.ts";
import { findServerSubject } from "../input/server-reference.ts";
import type { Context } from "../program.ts";
import { formatClaimState, formatDecision } from "../render/claim-text.ts";
import { formatJson } from "../render/json.ts";
import { addServerOptions, collect, openLink } from "./options.ts";

interface ClaimOptions extends ConnectionOptions {
  readonly to?: string;
  readonly ttl?: number;
  readonly make?: true;
  /** Seconds. */
  readonly wait?: number;
  readonly dryRun?: true;
  readonly idempotencyKey?: string;
  readonly exceptHost: readonly string[];
  readonly strategy?: Strategy;
  readonly json?: true;
}

const HELP = `
Examples:
  berth claim rack1-n1:5eed0000-0101-4000-8000-000000000001      the best place that grants it, held for 10 minutes
  berth claim rack6-n1:db1 --to rack6-n2 --ttl 1h                all devices of a VM, on this host
  berth claim UUID --make                                        the devices are made at once
  berth claim UUID --make --wait 1m                              and this ends when they exist, or could not be made
  berth claim UUID --dry-run                                     who would grant it, and what would be done; writes nothing
  berth claim UUID --idempotency-key job-4711                    the same order, however often it is sent

A held place expires unless berth confirm follows. Sent again with the same --idempotency-key, an order is carried out once.
Exit codes: 0 granted, 1 with --wait where the devices could not be made or not in time, 3 no, 4 a fact is missing, 5 compatible but no room now.
`;

const EXIT_OF_REFUSAL: Readonly<Record<"no" | "unknown" | "no-room", ExitCode>> = {
  no: EXIT.no,
  unknown: EXIT.undetermined,
  "no-room": EXIT.noRoom,
};

/** `berth claim`: holds a place for a device, or for all devices of a VM. */
export function addClaimCommand(program: Command, context: Context): void {
  addServerOptions(program.command("claim"))
    .description("Hold a place for a device or for all devices of a VM, durably; why not, where it is refused")
    .argument("<vm|device>", "a device or a VM, as for berth where")
    .option("--to <host>", "only this host; otherwise the best that grants it")
    .addOption(
      new Option("--ttl <duration>", "how long it is held; 10m unless said").argParser(
        parseDuration("--ttl", { min: 1, max: 86_400 }),
      ),
    )
    .option("--make", "have the devices made at once")
    .addOption(
      new Option("--wait <duration>", "with --make: how long to wait until the devices exist").argParser(
        parseDuration("--wait", { min: 1, max: 86_400 }),
      ),
    )
    .option("--dry-run", "decide, and write nothing")
    .option("--idempotency-key <key>", "carry the order out once, however often it is sent")
    .addOption(
      new Option("--except, --except-host <host>", "leave a host out (repeatable)")
        .argParser(collect)
        .default([], "none"),
    )
    .addOption(
      new Option("--rank, --strategy <strategy>", "how to rank; fragmentation unless said").choices(STRATEGIES),
    )
    .option("--json", "one JSON document")
    .addHelpText("after", HELP)
    .action((subject: string, options: ClaimOptions) => makeClaim(subject, options, context));
}

async function makeClaim(subject: string, options: ClaimOptions, context: Context): Promise<void> {
  const { control, inventory } = openLink(options, context);
  const { ref } = await findServerSubject(subject, { control, inventory });
  const body: ClaimBody = {
    for: ref,
    ...(options.to === undefined ? {} : { to: options.to }),
    ...(options.ttl === undefined ? {} : { ttlSeconds: options.ttl }),
    ...(options.make === undefined ? {} : { make: options.make }),
    ...(options.dryRun === undefined ? {} : { dryRun: options.dryRun }),
    ...(options.strategy === undefined ? {} : { strategy: options.strategy }),
    ...(options.exceptHost.length === 0 ? {} : { exceptHosts: options.exceptHost }),
  };
  const key = options.idempotencyKey;
  const answer = await control.claim(body, key === undefined ? {} : { idempotencyKey: key });
  if (answer.kind === "refused" || options.wait === undefined || body.make === undefined || answer.dryRun) {
    writeDecision(answer, { json: options.json, exitCode: exitCodeOfClaim(answer) }, context);
    return;
  }
  if (options.json !== true) context.output.write(`${formatDecision(answer)}\n`);
  const { claim } = await waitForDevices(answer.claim.id, { control, seconds: options.wait, world: context.world });
  const exitCode = claim.state === "bound" || claim.state === "attached" ? EXIT.yes : EXIT.failed;
  if (options.json === true) writeDecision({ ...answer, claim }, { json: true, exitCode }, context);
  else context.output.write(`\n${formatClaimState(claim)}\n`);
  context.finish(exitCode);
}

function writeDecision(
  answer: ClaimDecisionAnswer,
  { json, exitCode }: { readonly json: true | undefined; readonly exitCode: ExitCode },
  { output, finish }: Context,
): void {
  output.write(
    `${json === true ? formatJson("claim-decision/v1", { ...answer, exitCode }) : formatDecision(answer)}\n`,
  );
  finish(exitCode);
}

/** Milliseconds between two looks. */
const LOOK_MS = 250;

/** The claim when its devices exist, when they could not be made, or when time is over. */
async function waitForDevices(
  id: string,
  { control, seconds, world }: { control: ServerLink["control"]; seconds: number; world: Context["world"] },
): Promise<ClaimAnswer> {
  let answer = await control.readClaim(id);
  for (let waitedMs = 0; answer.claim.state === "provisioning" && waitedMs < seconds * 1000; waitedMs += LOOK_MS) {
    await world.wait(LOOK_MS);
    answer = await control.readClaim(id);
  }
  return answer;
}

/** What the command exits with. */
export function exitCodeOfClaim(answer: ClaimDecisionAnswer): ExitCode {
  return answer.kind === "granted" ? EXIT.yes : EXIT_OF_REFUSAL[answer.because];
}
