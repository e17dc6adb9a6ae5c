// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { blocksOf, findAgentNode, HERE, majorOf, OPERATIONS, startHouse, type House } from "./pack-house.ts";
import type { Service } from "./unit-service.ts";

const agentNode = findAgentNode();
const missing = ["openssl version", "tar --version", "curl --version"].filter((text) => {
  const [command = "", ...args] = text.split(" ");
  return spawnSync(command, args).status !== 0;
});

describe(
  "what is packed, installed as docs/operations.md says",
  {
    skip: missing.length > 0 && `NOT RUN: ${missing.join(", ")} did not answer`,
  },
  () => {
    let house: House;
    let server: Service;
    let agent: Service;
    before(async () => {
      house = await startHouse(agentNode);
      house.shell(`tar -xzf ${join(HERE, "fixtures/sysfs/linux-6.12-host-a.tgz")} -C ${house.tree}`);
    });
    after(() => house.close());

    it("says what it is and shows a host and the demo, with nothing else installed", (test) => {
      test.diagnostic(`the agent runs on ${agentNode}, Node ${majorOf(agentNode)}`);
      for (const block of blocksOf("Pack and install").slice(1)) house.shell(block, { cwd: house.packed });
      assert.match(house.shell("berth --version"), /^\d+\.\d+\.\d+\n$/);
      assert.match(house.shell("berth-agent --version"), /^\d+\.\d+\.\d+\n$/);
      assert.match(house.shell(`berth host --root ${house.tree}`), /nvidia-222/);
      const { parents } = JSON.parse(house.shell(`berth-agent host --root ${house.tree}`)) as { parents: object[] };
      assert.ok(parents.length > 0);
      assert.match(house.shell("berth demo --once"), /\n/);
    });

    it("starts a server with the certificates of the document", async () => {
      for (const block of blocksOf("Certificates")) house.shell(block, { cwd: house.desk });
      const [start = "", tokens = "", client = ""] = blocksOf("Start the server");
      house.shell(start, { cwd: house.desk });
      server = await house.startUnit("berth-server", /https:\/\//);
      const alice = house.shell(tokens).trim();
      server.signal("SIGHUP");
      const shown = await house.patiently(() => house.shell(client, { cwd: house.desk, input: `${alice}\n` }));
      assert.match(shown, /BERTH_CA/);
      assert.match(shown, /0 hosts/);
    });

    it("enrols a host whose agent reports, and hands it over", async () => {
      const [invite = "", enrol = ""] = blocksOf("Enrol hosts");
      const printed = house.operator(invite);
      const token = /berth1\.[\w-]+\.[0-9a-f]{64}/.exec(printed)?.[0];
      assert.ok(token, printed);
      assert.match(house.shell(enrol, { input: token }), /Enrolled as node1 at https:/);
      agent = await house.startUnit("berth-agent", /Welcome/);
      assert.match(await house.patiently(() => house.operator("berth agents", /connected/)), /node1/);
      assert.match(await house.patiently(() => house.operator("berth hosts", /1 host\n/)), /node1/);
      house.operator("berth adopt node1:0000:00:11.0");
    });

    it("runs each program with the memory and the warnings that it was packed with", () => {
      assert.ok(agent.commandLine().includes("--max-semi-space-size=1"), agent.commandLine().join(" "));
      assert.ok(server.commandLine().includes("--disable-warning=ExperimentalWarning"), server.commandLine().join(" "));
      assert.equal(server.output().includes("ExperimentalWarning"), false);
    });

    it("has every metric that the document watches", () => {
      const watched = new Set([...OPERATIONS.matchAll(/`(berth_\w+)/g)].map(([, name]) => name));
      assert.ok(watched.size > 1);
      const metrics = house.operator(
        'curl -s --cacert "$BERTH_CA" -H "Authorization: Bearer $(cat $BERTH_TOKEN_FILE)" $BERTH_SERVER/metrics',
      );
      for (const name of watched) assert.match(metrics, new RegExp(`^# TYPE ${name} `, "m"));
    });

    it("goes on from a backup in another directory, and the agent finds its way back", async () => {
      const [backup = "", restore = ""] = blocksOf("Back up and restore");
      house.operator(backup);
      await server.stop();
      house.shell(restore);
      server = await house.startUnit("berth-server", /1 hosts/);
      assert.match(await house.patiently(() => house.operator("berth agents", /connected/)), /node1/);
      assert.match(house.operator("berth audit --day all"), /agent\.enrol/);
      await agent.stop();
      await server.stop();
    });

    it("names every foreign package that is bundled", () => {
      for (const name of ["berth", "berth-agent"]) {
        const folder = join(house.packed, "dist", name);
        const notices = readFileSync(join(folder, "THIRD-PARTY-NOTICES.txt"), "utf8");
        const bundled = readdirSync(folder).filter((file) => file.endsWith(".mjs"));
        const found = bundled.flatMap((file) => [
          ...readFileSync(join(folder, file), "utf8").matchAll(
            /^\s*\/\/ (?:.*\/)?node_modules\/((?:@[^/]+\/)?[^/\n]+)\//gm,
          ),
        ]);
        const packages = new Set(found.map(([, one = ""]) => one));
        assert.ok(packages.size > 0, `${name}: no package was found`);
        for (const one of packages) assert.ok(notices.includes(`--- ${one} `), `${name}: ${one}`);
        assert.doesNotMatch(notices, /no licence named/);
        assert.ok(existsSync(join(folder, "LICENSE")));
      }
    });
  },
);
