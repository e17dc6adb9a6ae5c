// SPDX-License-Identifier: Apache-2.0

import { Option, type Command } from "commander";
import { readAllPages } from "@berth/core/protocol/api/client";
import type { ProbeAnswer, ProbeItem } from "@berth/core/protocol/api/control-answers";
import type { ConnectionOptions } from "../connect/connection.ts";
import type { ServerLink } from "../connect/server-link.ts";
import { EXIT, type ExitCode } from "../exit-code.ts";
import { parseDuration } from "../input/duration.ts";
import { findServerDevice, findServerEnd } from "../input/server-reference.ts";
import type { Context } from "../program.ts";
import { formatInstant } from "../render/instant.ts";
import { formatJson } from "../render/json.ts";
import { formatList } from "../render/list-text.ts";
import { printable } from "../render/table.ts";
import { heading } from "../render/words.ts";
import { addServerOptions, openLink } from "./options.ts";

interface ProbeOptions extends ConnectionOptions {
  /** Seconds. */
  readonly wait: number;
  readonly json?: true;
}

/** How often it is asked whether the driver has answered, milliseconds. */
const ASKED_EVERY_MS = 500;

const HELP = `
Examples:
  berth probe rack5-n1:UUID rack5-n2:0000:00:02.0/i915-GVTg_V5_4
  berth probe rack5-n1:UUID rack5-n2:UUID --wait 2m --json

The destination's agent writes the source's migration_version, byte for byte, to its own driver, which says yes or no. The
answer is remembered as long as both drivers stay the same builds; berth check and berth where use it.
Exit codes: 0 accepted, 3 refused by the driver, 4 not asked, or no answer in time.
`;

/** `berth probe` and `berth probes`. */
export function addProbeCommands(program: Command, context: Context): void {
  addServerOptions(program.command("probe"))
    .description("Ask the destination's driver whether it would load the source's state (opaque versions)")
    .argument("<source>", "host:uuid or host:pci-address")
    .argument("<destination>", "host:parent/type, or an unused device")
    .addOption(
      new Option("--wait <duration>", "how long to wait for the answer; 0s does not wait")
        .argParser(parseDuration("--wait", { min: 0, max: 86_400 }))
        .default(30, "30s"),
    )
    .option("--json", "one JSON document")
    .addHelpText("after", HELP)
    .action((source: string, destination: string, options: ProbeOptions) =>
      askProbe({ source, destination, options }, context),
    );
  addServerOptions(program.command("probes"))
    .description("What drivers were asked and answered, and whether it counts now")
    .option("--json", "one JSON document")
    .addHelpText(
      "after",
      "\nExamples:\n  berth probes\n  berth probes --json\n\nIN FORCE: both drivers, types and strings are still those that were asked about.\n",
    )
    .action((options: ConnectionOptions & { readonly json?: true }) => listProbes(options, context));
}

interface Asked {
  readonly source: string;
  readonly destination: string;
  readonly options: ProbeOptions;
}

async function askProbe({ source, destination, options }: Asked, context: Context): Promise<void> {
  const link = openLink(options, context);
  const [from, to] = await Promise.all([findServerDevice(source, link), findServerEnd(destination, link)]);
  const asked = await link.control.probe({ source: from, destination: to.ref });
  const answer = await waitForReply(asked, { control: link.control, seconds: options.wait, world: context.world });
  const exitCode = exitCodeOfProbe(answer.probe);
  const text =
    options.json === true ? formatJson("probe/v1", { ...answer, exitCode }) : formatProbe(answer.probe, options.wait);
  context.output.write(`${text}\n`);
  context.finish(exitCode);
}

/** Reads the probe again and again until the driver has answered or time is over. */
async function waitForReply(
  asked: ProbeAnswer,
  {
    control,
    seconds,
    world,
  }: { readonly control: ServerLink["control"]; readonly seconds: number; readonly world: Context["world"] },
): Promise<ProbeAnswer> {
  let answer = asked;
  for (let waitedMs = 0; answer.probe.reply === null && waitedMs < seconds * 1000; waitedMs += ASKED_EVERY_MS) {
    await world.wait(ASKED_EVERY_MS);
    answer = await control.readProbe(asked.probe.id);
  }
  return answer;
}

/** A driver's own word is yes or no; everything else is not known. */
export function exitCodeOfProbe({ reply }: Pick<ProbeItem, "reply">): ExitCode {
  if (reply?.outcome.kind === "accepted") return EXIT.yes;
  return reply?.outcome.kind === "refused" ? EXIT.no : EXIT.undetermined;
}

function formatProbe(probe: ProbeItem, seconds: number): string {
  const { reply, source } = probe;
  const waited =
    seconds === 0
      ? "was asked; berth probes shows the answer"
      : `has not answered within ${seconds} s; berth probes shows it later`;
  const said = reply === null ? waited : outcomeWords(probe);
  const own =
    reply?.destinationVersion === undefined ? [] : [`  its own version   ${printable(reply.destinationVersion)}`];
  return [
    `${heading(`Probe ${probe.id}`)}: the driver at ${printable(placeWords(probe))} ${said}.`,
    `  source            ${printable(`${source.host}:${source.subject}`)}`,
    `  version written   ${printable(probe.wanted.version)}`,
    ...own,
  ].join("\n");
}

function placeWords({ host, wanted: { at } }: ProbeItem): string {
  return at.kind === "device" ? `${host}:${at.device}` : `${host}:${at.parent}/${at.type}`;
}

function outcomeWords({ reply }: ProbeItem): string {
  if (reply === null) return "not answered yet";
  const { outcome } = reply;
  if (outcome.kind === "accepted") return "accepted it";
  if (outcome.kind === "refused") return `refused it (${printable(outcome.errno)})`;
  return `was not asked: ${printable(outcome.reason.text)} [${outcome.reason.code}]`;
}

async function listProbes(options: ConnectionOptions & { readonly json?: true }, context: Context): Promise<void> {
  const { control } = openLink(options, context);
  const { generation, items } = await readAllPages((query) => control.listProbes(query));
  const rows = items.map((probe) => [
    probe.id,
    `${probe.source.host}:${probe.source.subject}`,
    placeWords(probe),
    formatInstant(probe.createdAtMs),
    probe.principal,
    probe.inForce ? "yes" : "",
    outcomeWords(probe),
  ]);
  const head = ["PROBE", "SOURCE", "ASKED AT", "WHEN", "BY", "IN FORCE", "ANSWER"];
  const shown = { head, rows, nouns: ["probe", "probes"] } as const;
  const text = options.json === true ? formatJson("probes/v1", { generation, items }) : formatList(shown);
  context.output.write(`${text}\n`);
}
