// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { parseUuid } from "../device/address.ts";
import { formatSoftwareVersion, parseSoftwareVersion } from "../device/software-version.ts";
import * as ap from "./ap-matrix.ts";
import { formatAvailableInstances, parseAvailableInstances } from "./available-instances.ts";
import { CODECS } from "./codec-table.ts";
import { formatCreateRequest, parseCreateRequest } from "./create-request.ts";
import { compareDotted } from "./kernel.ts";
import { formatList, parseIdList, parseList } from "./list.ts";
import { formatMigrationVersion, parseMigrationVersion } from "./migration-version.ts";
import { formatKernelUint, parseKernelUint } from "./numbers.ts";
import { formatChpids, formatPimPamPom, parseChpids, parsePimPamPom } from "./subchannel.ts";
import { formatCreatableVgpuTypes, parseCreatableVgpuTypes } from "./vgpu-types.ts";

const UUID = "83b8f4f2-509f-382f-3c1e-e6bfe0fa1001";
const MASK = `0x60${"0".repeat(62)}`;

/** A text that each codec reads, to be spoilt. */
const SAMPLES: Readonly<Record<string, string>> = {
  aggregation_count: "30\n",
  ap_config: `${MASK},${MASK},${MASK}\n`,
  ap_mask: `${MASK}\n`,
  ap_matrix: "01.0005\n01.0006\n",
  apqn: "01.0005",
  attribute_text: "a\tb\nc\n",
  available_instances: "4\n",
  build_id: "\x04\0\0\0\x04\0\0\0\x03\0\0\0GNU\0\x01\x02\x03\x04",
  chpid_type: "0x1a\n",
  chpids: "50 51 00 00 00 00 00 00 \n",
  control_domains: "0005\n0006\n",
  creatable_vgpu_types: "ID    : vGPU Name\n1145  : NVIDIA L40S-1B\n",
  create_aggregate: `${UUID},aggregate=10\n`,
  create_instances: `${UUID},instances=10\n`,
  create_plain: `${UUID}\n`,
  current_vgpu_type: "1145\n",
  decimal: "10\n",
  device_api: "vfio-pci",
  feature_words: "guest_matrix hotplug ap_config\n",
  id_list: "0x1a,1b\n",
  iommu_group_link: "../../kernel/iommu_groups/12",
  kernel_release: "6.12.107+deb13-amd64\n",
  kernel_uint: "0x0a\n",
  line: "NVIDIA A2-4Q\n",
  list: "a, b\nc\n",
  list_text: "a, b\nc\n",
  mebibytes: "2048M",
  migration_features: "stop-copy\np2p\n",
  migration_state: "RUNNING\n",
  migration_version: "8086-193b-GVTg_V5_4-00000001\n",
  numa_node: "-1\n",
  optional_number: "12\n",
  os_release: 'NAME="Debian"\nID=debian\nVERSION_ID="13"\n',
  pci_address: "0000:00:02.0",
  pci_id: "0x10de\n",
  pimpampom: "f0 f0 ff\n",
  software_version: "1.2.3",
  subchannel_id: "0.0.0313",
  subchannel_type: "0\n",
  type_id: "i915-GVTg_V5_4",
  uevent: "DRIVER=vfio-pci\nPCI_ID=10DE:1EB8\n",
  uuid: UUID,
};

const CONTROL = Array.from({ length: 0xa0 }, (_, code) => String.fromCharCode(code)).filter(
  (unit) => /[\0-\x1f\x7f-\x9f]/.test(unit) && unit !== "\n" && unit !== "\t",
);
const anyText = fc.oneof(
  fc.string({ unit: "binary", maxLength: 60 }),
  fc.string({ unit: "grapheme", maxLength: 60 }),
  fc.string({ unit: fc.constantFrom(..."0123456789abfx+-.,:= \n\t_".split("")), maxLength: 60 }),
  fc.array(fc.nat(0xffff), { maxLength: 20 }).map((units) => String.fromCharCode(...units)),
);
const item = fc.stringMatching(/^[!-+\--~]{1,12}$/).filter((text) => text !== "...");
const byteSet = fc.uniqueArray(fc.nat(255), { maxLength: 40 }).map((numbers) => numbers.toSorted((a, b) => a - b));
const hexByte = fc.integer({ min: 1, max: 255 }).map((value) => value.toString(16).padStart(2, "0"));

describe("every codec", () => {
  it("has a sample", () => {
    assert.deepEqual(Object.keys(SAMPLES), [...CODECS.keys()]);
  });

  for (const [name, { parse, rewrite }] of CODECS) {
    const sample = SAMPLES[name] ?? "";

    it(`P1: ${name} answers any text with a value, SyntaxError or RangeError`, () => {
      const spoilt = fc.tuple(fc.nat(sample.length), fc.nat(3), anyText).map(([at, cut, text]) => {
        return sample.slice(0, at) + text + sample.slice(at + cut);
      });
      fc.assert(fc.property(fc.oneof(anyText, spoilt), (text) => assert.ok(isReadOrRefused(parse, text))));
    });

    if (name === "build_id") continue; // bytes, not text

    it(`P2: ${name} accepts no control character and nothing beyond ASCII`, () => {
      parse(sample);
      const foreign =
        name === "os_release" ? fc.constantFrom(...CONTROL) : fc.oneof(fc.constantFrom(...CONTROL), beyondAscii);
      fc.assert(
        fc.property(fc.nat(sample.length), foreign, (at, unit) => {
          assert.throws(() => parse(sample.slice(0, at) + unit + sample.slice(at)), Error);
        }),
      );
    });

    if (rewrite === undefined) continue;

    it(`P3: ${name} writes what it reads as the same value, and as the same text from then on`, () => {
      const spoilt = fc.tuple(fc.nat(sample.length), fc.stringMatching(/^[0-9a-fx,. \n]{0,2}$/)).map(([at, text]) => {
        return sample.slice(0, at) + text + sample.slice(at);
      });
      fc.assert(
        fc.property(fc.oneof(fc.constant(sample), spoilt), (text) => {
          if (!isRead(parse, text)) return;
          const written = rewrite(text);
          assert.deepStrictEqual(parse(written), parse(text));
          assert.equal(rewrite(written), written);
        }),
      );
    });
  }
});

const beyondAscii = fc
  .nat(0xffff)
  .filter((code) => code > 0x7e)
  .map((code) => String.fromCharCode(code));

describe("what is written is read as the same value", () => {
  it("P4: 32-bit numbers", () => {
    const uint = fc.nat(0xffff_ffff);
    fc.assert(fc.property(uint, (value) => assert.equal(parseKernelUint(formatKernelUint(value), "number"), value)));
  });

  it("P5: available_instances", () => {
    const count = fc.oneof(fc.maxSafeNat(), fc.constant(Infinity));
    fc.assert(
      fc.property(count, (value) => assert.equal(parseAvailableInstances(formatAvailableInstances(value)), value)),
    );
  });

  it("P6: lists, and lists of ids", () => {
    const id = fc.stringMatching(/^[0-9a-f]{1,4}(:[0-9a-f]{4})?$/);
    fc.assert(fc.property(fc.uniqueArray(item), (list) => assert.deepEqual(parseList(formatList(list)), list)));
    fc.assert(fc.property(fc.uniqueArray(id), (list) => assert.deepEqual(parseIdList(formatList(list)), list)));
  });

  it("P7: create requests in every dialect", () => {
    const request = fc.record(
      { uuid: fc.uuid().map(parseUuid), aggregate: fc.integer({ min: 1, max: 0xffff_ffff }) },
      { requiredKeys: ["uuid"] },
    );
    for (const dialect of ["aggregate", "instances"] as const) {
      fc.assert(
        fc.property(request, (value) => {
          const written = formatCreateRequest(value, dialect);
          assert.deepEqual(parseCreateRequest(written, { dialect }), { ...value });
        }),
      );
    }
  });

  it("P8: migration_version", () => {
    const version = fc.stringMatching(/^[ -~]{0,40}[!-~][ -~]{0,40}$/);
    fc.assert(fc.property(version, (text) => assert.equal(parseMigrationVersion(formatMigrationVersion(text)), text)));
  });

  it("P9: creatable_vgpu_types", () => {
    const row = fc.record({ id: fc.integer({ min: 1 }), name: fc.stringMatching(/^[!-~]([ -~]{0,20}[!-~])?$/) });
    const types = fc.uniqueArray(row, { selector: ({ id }) => id, maxLength: 30 });
    fc.assert(
      fc.property(types, (list) => {
        const read = parseCreatableVgpuTypes(formatCreatableVgpuTypes(list));
        assert.deepEqual(
          read,
          list.map(({ id, name }) => ({ id, name })),
        );
      }),
    );
  });

  it("P10: AP masks, bit by bit", () => {
    fc.assert(
      fc.property(byteSet, (numbers) => {
        const mask = numbers.reduce((sum, number) => sum | (1n << BigInt(255 - number)), 0n);
        assert.equal(ap.formatApMask(numbers), `0x${mask.toString(16).padStart(64, "0")}\n`);
        assert.deepEqual(ap.parseApMask(ap.formatApMask(numbers)), numbers);
      }),
    );
  });

  it("P11: ap_config, control_domains, APQNs", () => {
    fc.assert(
      fc.property(byteSet, byteSet, byteSet, (adapters, domains, controlDomains) => {
        const config = { adapters, domains, controlDomains };
        assert.deepEqual(ap.parseApConfig(ap.formatApConfig(config)), config);
        assert.deepEqual(ap.parseControlDomains(ap.formatControlDomains(domains)), domains);
      }),
    );
    fc.assert(
      fc.property(fc.nat(255), fc.nat(255), (adapter, domain) => {
        assert.deepEqual(ap.parseApqn(ap.formatApqn({ adapter, domain })), { adapter, domain });
      }),
    );
  });

  it("P12: the AP matrix is read whole or not at all", () => {
    const few = fc.uniqueArray(fc.nat(255), { maxLength: 20 }).map((numbers) => numbers.toSorted((a, b) => a - b));
    fc.assert(
      fc.property(few, few, fc.nat(3), (adapters, domains, dropped) => {
        const lines = ap.formatApMatrix({ adapters, domains }).split("\n").slice(0, -1);
        const apqns = adapters.flatMap((adapter) => domains.map((domain) => ({ adapter, domain })));
        assert.deepEqual(ap.parseApMatrix(lines.join("\n")), { apqns, adapters, domains });
        if (adapters.length < 2 || domains.length < 2) return;
        lines.splice(dropped, 1);
        assert.throws(() => ap.parseApMatrix(lines.join("\n")), SyntaxError);
      }),
    );
  });

  it("P13: chpids at the paths of a mask, 00 among them", () => {
    const ids = fc.array(fc.oneof(hexByte, fc.constant("00")), { minLength: 8, maxLength: 8 });
    fc.assert(
      fc.property(fc.nat(255), ids, (pim, all) => {
        const chpids = all.filter((_, path) => (pim & (1 << (7 - path))) !== 0);
        assert.deepEqual(parseChpids(formatChpids(chpids, pim), pim), chpids);
      }),
    );
    const first = fc.array(hexByte, { maxLength: 8 });
    fc.assert(fc.property(first, (chpids) => assert.deepEqual(parseChpids(formatChpids(chpids)), chpids)));
  });

  it("P14: pimpampom and software_version", () => {
    const masks = fc.record({ pim: fc.nat(255), pam: fc.nat(255), pom: fc.nat(255) });
    fc.assert(fc.property(masks, (value) => assert.deepEqual(parsePimPamPom(formatPimPamPom(value)), { ...value })));
    const part = fc.nat(999_999_999);
    const version = fc.record({ major: part, minor: part, bugfix: part });
    fc.assert(
      fc.property(version, (value) => {
        assert.deepEqual(parseSoftwareVersion(formatSoftwareVersion(value)), { ...value });
      }),
    );
  });
});

describe("parseKernelUint", () => {
  it("P15: reads what kstrtouint base 0 reads, digit by digit", () => {
    const text = fc.string({ unit: fc.constantFrom(..."+-0x178faF\n ".split("")), maxLength: 12 });
    fc.assert(
      fc.property(text, (raw) => {
        const expected = kstrtouint(raw);
        if (typeof expected === "number") assert.equal(parseKernelUint(raw, "number"), expected);
        else assert.throws(() => parseKernelUint(raw, "number"), expected);
      }),
      { numRuns: 2000 },
    );
  });
});

describe("compareDotted", () => {
  const dotted = fc.array(fc.nat(12), { minLength: 1, maxLength: 4 });

  it("P16: orders as the lists of numbers do, whatever zeros and suffixes are added", () => {
    fc.assert(
      fc.property(dotted, dotted, fc.constantFrom("", "-rc1", "+deb13", " beta"), (a, b, suffix) => {
        const order = a
          .map((part, index) => Math.sign(part - (b[index] ?? 0)))
          .concat(b.slice(a.length).map((part) => -Math.sign(part)));
        const expected = order.find((sign) => sign !== 0) ?? 0;
        assert.equal(compareDotted(`00${a.join(".")}${suffix}`, b.join(".")), expected);
        assert.equal(compareDotted(`${b.join(".")}.0`, a.join(".")), 0 - expected);
      }),
    );
  });
});

function isRead(parse: (raw: string) => unknown, text: string): boolean {
  try {
    parse(text);
    return true;
  } catch {
    return false;
  }
}

function isReadOrRefused(parse: (raw: string) => unknown, text: string): boolean {
  try {
    parse(text);
    return true;
  } catch (error) {
    if (!(error instanceof SyntaxError) && !(error instanceof RangeError)) throw error;
    return /^[ -~]{1,700}$/.test(error.message);
  }
}

/** A slow model of lib/kstrtox.c: radix, digits one by one, at most one LF, then the end. */
function kstrtouint(raw: string): number | typeof SyntaxError | typeof RangeError {
  let rest = raw.startsWith("+") ? raw.slice(1) : raw;
  const isHex = /^0[xX][0-9a-fA-F]/.test(rest);
  const radix = isHex ? 16n : rest.startsWith("0") ? 8n : 10n;
  if (isHex) rest = rest.slice(2);
  let value = 0n;
  let digits = 0;
  for (const unit of rest) {
    const digit = BigInt("0123456789abcdef".indexOf(unit.toLowerCase()));
    if (digit < 0n || digit >= radix) break;
    value = value * radix + digit;
    digits += 1;
  }
  if (digits === 0 || !["", "\n"].includes(rest.slice(digits))) return SyntaxError;
  return value > 0xffff_ffffn ? RangeError : Number(value);
}
