// SPDX-License-Identifier: Apache-2.0

import type { TextAnswer } from "@berth/core/protocol/api/control-answers";
import { BerthError } from "@berth/core/protocol/berth-error";
import { listTextsOnHost } from "@berth/core/report/join-snapshot";
import { requireControl } from "./control.ts";
import { requireHost } from "./question-answers.ts";
import { quote, type Served } from "./served.ts";

/**
 * A raw text that stayed on its host, told by the host's agent. Only paths of evidence that says so are asked for: an agent is
 * no way to read a host's files. Throws BerthError unknown_host, unknown_text, host_silent, too_many_streams.
 */
export async function answerText({ view, control }: Served, host: string, path: string): Promise<TextAnswer> {
  const { agents } = requireControl(control);
  const { snapshot } = requireHost(view, host, "host").host;
  if (!listTextsOnHost(snapshot).includes(path)) {
    throw new BerthError("unknown_text", `Nothing that ${quote(host)} shows has a text of ${quote(path)} there`, {
      place: "path",
      expected: "the path of an evidence with textOnHost",
    });
  }
  const text = await agents.readText(host, path);
  return { generation: view.generation, host, path, text };
}
