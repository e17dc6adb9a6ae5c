// SPDX-License-Identifier: Apache-2.0

import { Option, type Command } from "commander";
import type { ClaimAnswer } from "@berth/core/protocol/api/control-answers";
import type { CommitBody } from "@berth/core/protocol/api/control-requests";
import type { ControlClient } from "@berth/core/protocol/api/control-client";
import { BerthError } from "@berth/core/protocol/berth-error";
import type { ConnectionOptions } from "../connect/connection.ts";
import { withClaim } from "../input/claim-reference.ts";
import type { Context } from "../program.ts";
import { formatJson } from "../render/json.ts";
import { formatClaimState } from "../render/claim-text.ts";
import { addServerOptions, openLink } from "./options.ts";

interface SteerOptions extends ConnectionOptions {
  readonly json?: true;
}

/** One order to a claim. */
interface Order {
  readonly name: string;
  readonly description: string;
  readonly send: (control: ControlClient, id: string) => Promise<ClaimAnswer>;
  readonly help: string;
}

const CONFIRM: Order = {
  name: "confirm",
  description: "Have the devices of a held claim made",
  send: (control, id) => control.confirmClaim(id),
  help: "The claim no longer expires; berth claims ID shows when its devices exist.",
};

const RELEASE: Order = {
  name: "release",
  description: "Give places back; devices that were made are taken away first",
  send: (control, id) => control.releaseClaim(id),
  help: "Room returns when the agent has proved that nothing is left. Devices of a running VM are not released (claim_in_use).",
};

const REPAIR: Order = {
  name: "repair",
  description: "Have devices that have drifted or vanished made anew",
  send: (control, id) => control.repairClaim(id),
  help: "Drift is reported and left alone until this is asked; devices in use are never touched.",
};

const COMMIT: Order = {
  name: "commit",
  description: "Say that a VM has moved: the place is its own now, and the one that it left is given back",
  send: (control, id) => control.commitClaim(id),
  help: `For a VM that was moved with virsh by hand. Both places change in one transaction. --source says what becomes of the devices
that it left: release (the claim that holds them is given back), vacate (devices that Berth did not make are taken away too,
once nobody uses them and no definition names them), keep (they stay as they are).`,
};

/** `berth confirm`, `release`, `repair` and `commit`. */
export function addClaimOrders(program: Command, context: Context): void {
  addOrder(program, COMMIT)
    .argument("<id>", "the id of the claim at the destination, or the beginning of it")
    .addOption(
      new Option("--source <what>", "what becomes of the devices that the VM left")
        .choices(["release", "vacate", "keep"])
        .default("release"),
    )
    .action((id: string, options: SteerOptions & Required<CommitBody>) => {
      const { source } = options;
      const order = {
        ...COMMIT,
        send: (control: ControlClient, whole: string) => control.commitClaim(whole, { source }),
      };
      return steerOne(order, { id, options }, context);
    });
  for (const order of [CONFIRM, REPAIR]) {
    addOrder(program, order)
      .argument("<id>", "the id of a claim, or the beginning of it")
      .action((id: string, options: SteerOptions) => steerOne(order, { id, options }, context));
  }
  addOrder(program, RELEASE)
    .argument("<id...>", "ids of claims, or the beginnings of them")
    .action((ids: readonly string[], options: SteerOptions) => releaseAll(ids, options, context));
}

function addOrder(program: Command, { name, description, help }: Order): Command {
  return addServerOptions(program.command(name))
    .description(description)
    .option("--json", "one JSON document")
    .addHelpText("after", `\nExamples:\n  berth ${name} 0199f3c2\n  berth ${name} 0199f3c2 --json\n\n${help}\n`);
}

async function steerOne(
  { send }: Order,
  { id, options }: { readonly id: string; readonly options: SteerOptions },
  context: Context,
): Promise<void> {
  const { control } = openLink(options, context);
  const answer = await withClaim(id, control, (whole) => send(control, whole));
  context.output.write(`${options.json === true ? formatJson("claim/v1", answer) : formatState(answer)}\n`);
}

/** Releases each; one that is refused does not keep the others. Throws BerthError of the first that was refused. */
async function releaseAll(ids: readonly string[], options: SteerOptions, context: Context): Promise<void> {
  const { control } = openLink(options, context);
  const answers: ClaimAnswer[] = [];
  const failures: BerthError[] = [];
  for (const id of ids) {
    try {
      const answer = await withClaim(id, control, (whole) => control.releaseClaim(whole));
      answers.push(answer);
      if (options.json !== true) context.output.write(`${formatState(answer)}\n`);
    } catch (error) {
      if (!(error instanceof BerthError)) throw error;
      failures.push(error);
    }
  }
  if (options.json === true) {
    const generation = answers.at(-1)?.generation ?? null;
    context.output.write(`${formatJson("claims/v1", { generation, items: answers.map(({ claim }) => claim) })}\n`);
  }
  throwFailures(failures);
}

function throwFailures([first, ...others]: readonly BerthError[]): void {
  if (first === undefined) return;
  if (others.length === 0) throw first;
  throw new BerthError(first.code, first.message, {
    ...(first.place === undefined ? {} : { place: first.place }),
    ...(first.expected === undefined ? {} : { expected: first.expected }),
    details: [...first.details, ...others.map(({ code, message }) => `${code}: ${message}`)],
    cause: first,
  });
}

function formatState({ claim }: ClaimAnswer): string {
  return formatClaimState(claim);
}
