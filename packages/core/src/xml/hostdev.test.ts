// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { findHostdevs, type DomainFacts } from "./hostdev.ts";
import { MAX_XML } from "./read-elements.ts";

const UUID = "aaaaaaaa-0000-4000-8000-000000000001";
const MDEV = `<hostdev mode='subsystem' type='mdev' managed='no' model='vfio-pci'>
  <source><address uuid='${UUID.toUpperCase()}'/></source>
  <address type='pci' domain='0x0000' bus='0x07' slot='0x00' function='0x0'/>
</hostdev>`;

/** A domain with these devices and more below `domain`. */
function domain(devices: string, more = ""): string {
  return `<!-- made by hand --><?xml version='1.0'?><domain type='kvm'><name>web1</name><uuid>${UUID}</uuid>${more}<devices>${devices}</devices></domain>`;
}

const CASES: Readonly<Record<string, { readonly xml: string; readonly facts: Partial<DomainFacts> }>> = {
  "finds an mdev by its UUID in lower case, and not the guest's address of it": {
    xml: domain(MDEV),
    facts: { name: "web1", uuid: UUID, devices: [{ kind: "mdev", id: UUID }], problems: [] },
  },
  "finds a PCI function": {
    xml: domain(
      `<hostdev mode="subsystem" type="pci" managed="yes"><driver name="vfio"/><source><address domain="0x0001" bus="0xaf" slot="0x1f" function="0x7"/></source></hostdev>`,
    ),
    facts: { devices: [{ kind: "pci", id: "0001:af:1f.7" }], problems: [] },
  },
  "finds network interfaces and NVMe disks that are host devices": {
    xml: domain(
      `<interface type='hostdev'><source><address type='pci' domain='0' bus='6' slot='16' function='2'/></source></interface>
       <interface type='network'><actual type='hostdev'><source><address type='pci' domain='0x0000' bus='0x06' slot='0x10' function='0x3'/></source></actual></interface>
       <disk type='nvme'><source type='pci' namespace='1'><address domain='0x0000' bus='0x01' slot='0x00' function='0x0'/></source></disk>`,
    ),
    facts: {
      devices: [
        { kind: "pci", id: "0000:06:10.2" },
        { kind: "pci", id: "0000:06:10.3" },
        { kind: "pci", id: "0000:01:00.0" },
      ],
      problems: [],
    },
  },
  "passes over USB and SCSI devices, plain interfaces and what stands in comments": {
    xml: domain(
      `<hostdev mode='subsystem' type='usb'><source><address bus='1' device='2'/></source></hostdev>
       <hostdev mode='subsystem' type='scsi'><source><adapter name='scsi_host0'/><address type='scsi' bus='0' target='0' unit='0'/></source></hostdev>
       <interface type='bridge'><source bridge='br0'/><address type='pci' domain='0x0000' bus='0x01' slot='0x00' function='0x0'/></interface>
       <!-- ${MDEV} -->`,
    ),
    facts: { devices: [], problems: [] },
  },
  "names a host device whose address cannot be read": {
    xml: domain(`<hostdev type='mdev'><source><address uuid='mine'/></source></hostdev>${MDEV}`),
    facts: { devices: [{ kind: "mdev", id: UUID }], problems: ["the address of a hostdev cannot be read"] },
  },
  "refuses addresses out of range": {
    xml: domain(`<hostdev type='pci'><source><address bus='0x100' slot='0' function='0'/></source></hostdev>`),
    facts: { devices: [], problems: ["the address of a hostdev cannot be read"] },
  },
  "reads a live status with its process": {
    xml: `<domstatus state='running' reason='booted' pid='4242'><domain type='kvm' id='1'><name>web1</name><devices>${MDEV}</devices></domain></domstatus>`,
    facts: { state: "running", pid: 4242, name: "web1", devices: [{ kind: "mdev", id: UUID }], problems: [] },
  },
  "reads memory and hugepages in KiB": {
    xml: domain(
      "",
      `<memory unit='GiB'>4</memory><currentMemory>1</currentMemory><memoryBacking><hugepages><page size='1' unit='G'/></hugepages></memoryBacking>`,
    ),
    facts: { memoryKib: 4_194_304, hugepageKib: 1_048_576, problems: [] },
  },
  "says 0 where hugepages of the host's default size are asked for": {
    xml: domain("", "<memory>2048</memory><memoryBacking><hugepages/></memoryBacking>"),
    facts: { memoryKib: 2048, hugepageKib: 0 },
  },
  "resolves the namespaces of metadata": {
    xml: domain(
      "",
      `<metadata xmlns:n="http://openstack.org/xmlns/libvirt/nova/1.1"><n:instance><n:name>x</n:name></n:instance><kubevirt xmlns="http://kubevirt.io"/></metadata>`,
    ),
    facts: { metadata: ["http://openstack.org/xmlns/libvirt/nova/1.1", "http://kubevirt.io"] },
  },
  "hands out QEMU's own arguments, entities resolved": {
    xml: domain(
      "",
      `<qemu:commandline xmlns:qemu="q"><qemu:arg value="-device"/><qemu:arg value='vfio-pci,sysfsdev=/a&amp;&#x62;'/></qemu:commandline>`,
    ),
    facts: { qemuArguments: ["-device", "vfio-pci,sysfsdev=/a&b"] },
  },
  "keeps what stood before the text broke off": {
    xml: domain(MDEV).slice(0, -"</domain>".length),
    facts: { devices: [{ kind: "mdev", id: UUID }], problems: ["the text ends inside <domain>"] },
  },
  "refuses a document type": {
    xml: `<!DOCTYPE d [<!ENTITY a "b">]>${domain("")}`,
    facts: { devices: [], problems: ["a document type is not read"] },
  },
  "refuses entities beyond the five": {
    xml: domain("", "<title>&boom;</title>"),
    facts: { problems: ["&boom; is none of the five entities"] },
  },
  "says of another document that it is no domain": {
    xml: `<network><name>default</name></network>`,
    facts: { devices: [], problems: ["the text is no domain"] },
  },
  "refuses a text without an element": { xml: " \n", facts: { problems: ["the text holds no element"] } },
  "refuses an attribute given twice": {
    xml: `<domain a='1' a='2'/>`,
    facts: { problems: ["<domain> has attribute a twice"] },
  },
  "refuses end tags that do not fit": {
    xml: `<domain></devices>`,
    facts: { problems: ["an end tag does not fit <domain>"] },
  },
  "refuses nesting without end": {
    xml: `<domain>${"<a>".repeat(1000)}`,
    facts: { problems: ["elements are nested deeper than 128"] },
  },
  "refuses what is too long": {
    xml: `<domain>${" ".repeat(MAX_XML)}</domain>`,
    facts: { problems: [`the text is longer than ${MAX_XML} characters`] },
  },
};

describe("findHostdevs()", () => {
  for (const [name, { xml, facts }] of Object.entries(CASES)) {
    it(name, () => {
      const found = findHostdevs(xml);
      assert.deepEqual({ ...found, ...facts }, found);
    });
  }
});
