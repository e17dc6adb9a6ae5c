// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { explainUsage } from "@berth/core/device/device-use";
import { valueOf } from "@berth/core/device/evidence";
import type { HostSnapshot } from "@berth/core/device/host-snapshot";
import { openMemoryTree } from "../host/memory-tree.ts";
import { readHost } from "./read-host.ts";
import {
  bound,
  KERNEL,
  link,
  mdevDevice,
  mdevType,
  pciFunction,
  UUIDS,
  virtualParent,
  type Entries,
} from "./sample-trees.ts";

const VM = "bbbbbbbb-0000-4000-8000-000000000001";
const MTTY = "/sys/devices/virtual/mtty/mtty";
const NIC = "0000:05:00.1";

/** A host with three mdev devices, of which the first two share IOMMU group 12, and a function in group 7. */
const HOST: Entries = {
  ...KERNEL,
  ...virtualParent("mtty", mdevType("mtty-1")),
  ...mdevDevice(
    { parent: MTTY, uuid: UUIDS[0], type: "mtty-1" },
    { iommu_group: link("../../../../../kernel/iommu_groups/12") },
  ),
  ...mdevDevice(
    { parent: MTTY, uuid: UUIDS[1], type: "mtty-1" },
    { iommu_group: link("../../../../../kernel/iommu_groups/12") },
  ),
  ...mdevDevice({ parent: MTTY, uuid: UUIDS[2], type: "mtty-1" }, { "vfio-dev/vfio3/dev": "511:3\n" }),
  "/sys/kernel/iommu_groups/12/type": "DMA\n",
  ...pciFunction(NIC, bound("vfio-pci", "vfio_pci")),
  "/proc/1/cmdline": "/sbin/init\0",
  "/proc/1/fd/0": link("/dev/null"),
  "/proc/2/comm": "kthreadd\n",
  "/proc/2/cmdline": "",
  "/proc/2/fd": { kind: "directory" },
};

function process(pid: number, args: readonly string[], files: readonly string[] = []): Entries {
  return {
    [`/proc/${pid}/cmdline`]: `${args.join("\0")}\0`,
    [`/proc/${pid}/fd`]: { kind: "directory" },
    ...Object.fromEntries(files.map((file, index) => [`/proc/${pid}/fd/${index}`, link(file)])),
  };
}

function domain(name: string, devices: string, more = ""): string {
  return `<domain><name>${name}</name><uuid>${VM}</uuid>${more}<devices>${devices}</devices></domain>`;
}

function mdev(uuid: string): string {
  return `<hostdev type='mdev'><source><address uuid='${uuid}'/></source></hostdev>`;
}

const QEMU = [
  "/usr/bin/qemu-system-x86_64",
  "-name",
  "guest=web1,debug-threads=on",
  "-uuid",
  VM,
  "-m",
  "size=4194304k",
];

function read(more: Entries): HostSnapshot {
  return readHost(openMemoryTree(Object.entries({ ...HOST, ...more })), "a");
}

/** A snapshot in a few words: each VM with its state, owner and devices, each use, and what was not seen. */
function told(snapshot: HostSnapshot): Readonly<Record<string, readonly string[]>> {
  return {
    vms: snapshot.virtualMachines.map(({ id, name, state, owner, pid, devices }) => {
      const seen = devices.map(({ device, known }) => `${short(device)} by ${known.map(({ how }) => how).join("+")}`);
      return [id === VM ? "VM" : id, name, state, owner.kind, pid ?? "-", ...seen].join(" ");
    }),
    uses: snapshot.uses.map(({ device, user }) => {
      if (user.kind === "process")
        return `${short(device)} ${user.kind} ${user.pid} ${user.command} ${user.how} ${user.vm === undefined ? "-" : "VM"}`;
      return user.kind === "domain" ? `${short(device)} domain` : `${short(device)} definition ${user.by}`;
    }),
    unseen: snapshot.unseenUsers,
    problems: snapshot.problems.map(({ code, path }) => `${code} ${path}`),
  };
}

function short(id: string): string {
  const index = UUIDS.indexOf(id);
  return index < 0 ? id : `D${index + 1}`;
}

interface Case {
  readonly more: Entries;
  readonly vms?: readonly string[];
  readonly uses?: readonly string[];
  readonly unseen?: readonly string[];
  readonly problems?: readonly string[];
}

const CASES: Readonly<Record<string, Case>> = {
  "finds nobody where nobody is": { more: {} },
  "counts a process that cannot be looked into": {
    more: { "/proc/1/cmdline": { kind: "other" }, "/proc/1": "no folder" },
    unseen: [
      "the open files of 1 of 2 processes cannot be read",
      "the command lines of 1 of 2 processes cannot be read",
    ],
    problems: ["users_unseen /proc"],
  },
  "names a VM's devices by command line and open file": {
    more: process(
      42,
      [...QEMU, "-device", `{"driver":"vfio-pci","id":"h0","sysfsdev":"/sys/bus/mdev/devices/${UUIDS[2]}"}`],
      ["/dev/vfio/vfio", "/dev/vfio/devices/vfio3"],
    ),
    vms: ["VM web1 running unknown 42 D3 by argument+open-file"],
    uses: ["D3 process 42 qemu-system-x86_64 argument VM", "D3 process 42 qemu-system-x86_64 open-file VM"],
  },
  "takes for the VM's only the named one of a group, and holds both for used": {
    more: process(
      42,
      [...QEMU, "-device", `vfio-pci,sysfsdev=/sys/bus/mdev/devices/${UUIDS[0]},display=off`],
      ["/dev/vfio/12"],
    ),
    vms: ["VM web1 running unknown 42 D1 by argument+open-file"],
    uses: [
      "D1 process 42 qemu-system-x86_64 argument VM",
      "D1 process 42 qemu-system-x86_64 open-file VM",
      "D2 process 42 qemu-system-x86_64 open-file VM",
    ],
  },
  "takes a whole group where no argument names any of it": {
    more: process(42, QEMU, ["/dev/vfio/12"]),
    vms: ["VM web1 running unknown 42 D1 by open-file D2 by open-file"],
    uses: ["D1 process 42 qemu-system-x86_64 open-file VM", "D2 process 42 qemu-system-x86_64 open-file VM"],
  },
  "reads a PCI address without its domain": {
    more: process(42, [...QEMU, "-device", "vfio-pci,host=05:00.1,id=h0"]),
    vms: [`VM web1 running unknown 42 ${NIC} by argument`],
    uses: [`${NIC} process 42 qemu-system-x86_64 argument VM`],
  },
  "names a process that is no VM": {
    more: process(77, ["/usr/bin/dpdk-testpmd", "-l", "1"], ["/dev/vfio/7"]),
    uses: [`${NIC} process 77 dpdk-testpmd open-file -`],
  },
  "says once that the files of many processes are closed to it": {
    more: {
      "/proc/8/cmdline": "a\0",
      "/proc/8/fd": { kind: "directory", errno: "EACCES" },
      "/proc/9/cmdline": "b\0",
      "/proc/9/fd": { kind: "directory", errno: "EACCES" },
    },
    unseen: ["the open files of 2 of 4 processes cannot be read"],
    problems: ["users_unseen /proc"],
  },
  "does not take a container's processes, or one user's, for all": {
    more: { "/proc/2/comm": "bash\n", "/etc/libvirt/qemu/web1.xml": domain("web1", "") },
    vms: ["VM web1 unknown unknown -"],
    unseen: ["kthreadd is not shown as process 2, so other processes may be hidden"],
  },
  "passes over a process that ends meanwhile": {
    more: {
      "/proc/8/cmdline": { kind: "failing", errno: "ESRCH" },
      "/proc/8/fd": { kind: "directory", errno: "ESRCH" },
    },
  },
  "finds a shut-off domain, and a device of it that is not there": {
    more: { "/etc/libvirt/qemu/web1.xml": domain("web1", mdev(UUIDS[0]) + mdev(VM)) },
    vms: [`VM web1 defined unknown - D1 by definition ${VM} by definition`],
    uses: ["D1 definition libvirt", `${VM} definition libvirt`],
  },
  "joins process, live and stored description; what runs has what it was started with": {
    more: {
      ...process(42, [...QEMU, "-device", `vfio-pci,sysfsdev=/sys/bus/mdev/devices/${UUIDS[2]}`]),
      "/run/libvirt/qemu/web1.xml": `<domstatus state='running' pid='42'>${domain("web1", mdev(UUIDS[2]))}</domstatus>`,
      "/etc/libvirt/qemu/web1.xml": domain("web1", mdev(UUIDS[0])),
    },
    vms: ["VM web1 running unknown 42 D3 by argument+definition"],
    uses: ["D1 definition libvirt", "D3 process 42 qemu-system-x86_64 argument VM", "D3 domain"],
  },
  "does not believe a live description whose process is gone": {
    more: { "/run/libvirt/qemu/web1.xml": `<domstatus pid='42'>${domain("web1", mdev(UUIDS[2]))}</domstatus>` },
    vms: ["VM web1 unknown unknown - D3 by definition"],
    uses: ["D3 domain"],
    problems: ["facts_disagree /run/libvirt/qemu/web1.xml"],
  },
  "keeps what it found in a definition that breaks off, and says that there may be more": {
    more: { "/etc/libvirt/qemu/web1.xml": `<domain><name>web1</name><uuid>${VM}</uuid><devices>${mdev(UUIDS[0])}` },
    vms: ["VM web1 defined unknown - D1 by definition"],
    uses: ["D1 definition libvirt"],
    unseen: ["/etc/libvirt/qemu/web1.xml cannot be read whole: the text ends inside <devices>"],
    problems: ["attribute_malformed /etc/libvirt/qemu/web1.xml"],
  },
  "counts unreadable definitions as users that are not seen": {
    more: { "/etc/libvirt/qemu": { kind: "directory", errno: "EACCES" } },
    unseen: ["/etc/libvirt/qemu cannot be listed"],
    problems: ["directory_unreadable /etc/libvirt/qemu"],
  },
  "tells Nova's VM by its metadata": {
    more: {
      "/etc/libvirt/qemu/i.xml": domain(
        "i",
        "",
        `<metadata><nova:instance xmlns:nova="http://openstack.org/xmlns/libvirt/nova/1.1"/></metadata>`,
      ),
    },
    vms: ["VM i defined nova -"],
  },
  "tells oVirt's VM by its metadata": {
    more: {
      "/etc/libvirt/qemu/i.xml": domain("i", "", `<metadata><o:vm xmlns:o="http://ovirt.org/vm/1.0"/></metadata>`),
    },
    vms: ["VM i defined ovirt -"],
  },
  "tells Nova's VM by what its firmware says": {
    more: process(42, [...QEMU, "-smbios", "type=1,manufacturer=OpenStack Foundation,product=OpenStack Nova"]),
    vms: ["VM web1 running nova 42"],
  },
  "tells KubeVirt's VM by its control group": {
    more: { ...process(42, QEMU), "/proc/42/cgroup": "0::/kubepods.slice/kubepods-pod1.slice/cri-1.scope\n" },
    vms: ["VM web1 running kubevirt 42"],
  },
  "joins Proxmox's process and definition, and makes the UUID of its mdev from slot and number": {
    more: {
      ...process(42, ["/usr/bin/kvm", "-id", "100", "-name", "db1,debug-threads=on", "-smbios", `type=1,uuid=${VM}`]),
      "/etc/pve/qemu-server/100.conf": `name: db1\nmemory: 2048\nsmbios1: uuid=${VM}\nhostpci1: 0000:01:00.0,mdev=nvidia-63\nhostpci0: 05:00.1\n[old]\nhostpci2: 06:00.0\n`,
    },
    vms: [`VM db1 running proxmox 42 00000001-0000-0000-0000-000000000100 by definition ${NIC} by definition`],
    uses: ["00000001-0000-0000-0000-000000000100 definition proxmox", `${NIC} definition proxmox`],
  },
  "says that the devices of a Proxmox mapping are not read": {
    more: { "/etc/pve/qemu-server/100.conf": "hostpci0: mapping=gpu\n" },
    vms: ["100 100 defined proxmox -"],
    unseen: ["/etc/pve/qemu-server/100.conf names a mapping in hostpci0, whose devices are not read"],
  },
  "takes an mdevctl definition for no user of its device": {
    more: {
      [`/etc/mdevctl.d/mtty/${UUIDS[0]}`]: `{"mdev_type":"mtty-1","start":"auto","attrs":[]}`,
      "/etc/mdevctl.d/scripts.d/x": "",
    },
    uses: ["D1 definition mdevctl"],
  },
  "keeps an mdevctl definition that is no JSON": {
    more: { [`/etc/mdevctl.d/mtty/${UUIDS[0]}`]: "{" },
    uses: ["D1 definition mdevctl"],
    problems: [`attribute_malformed /etc/mdevctl.d/mtty/${UUIDS[0]}`],
  },
  "writes hostile names so that a terminal survives them": {
    more: { "/etc/libvirt/qemu/x.xml": "<domain><name>a\u001b[31m__proto__</name></domain>" },
    vms: ["a\\u001b[31m__proto__ a\\u001b[31m__proto__ defined unknown -"],
  },
};

describe("readVirtualMachines()", () => {
  for (const [name, { more, ...expected }] of Object.entries(CASES)) {
    it(name, () => {
      assert.deepEqual(told(read(more)), { vms: [], uses: [], unseen: [], problems: [], ...expected });
    });
  }

  it("reads memory in KiB", () => {
    const [vm] = read(process(42, QEMU)).virtualMachines;
    assert.equal(vm && valueOf(vm.memoryKib), 4_194_304);
    assert.equal(vm?.hugepageKib.kind, "absent");
  });

  it("says what a tree without processes cannot tell", () => {
    const entries = Object.entries(HOST).filter(([path]) => !/^\/proc\/[12]\//.test(path));
    const snapshot = readHost(openMemoryTree(entries), "a");
    assert.deepEqual(snapshot.unseenUsers, ["no process is shown"]);
    assert.deepEqual(snapshot.problems, []);
    assert.equal(explainUsage(snapshot, UUIDS[0]).kind, "unknown");
  });
});

describe("explainUsage()", () => {
  const running = read({
    ...process(42, [...QEMU, "-device", `vfio-pci,sysfsdev=/sys/bus/mdev/devices/${UUIDS[0]}`]),
    ...process(77, ["/usr/bin/dpdk-testpmd"], ["/dev/vfio/7"]),
    "/etc/libvirt/qemu/off.xml": domain("off", mdev(UUIDS[1])).replace(VM, "cccccccc-0000-4000-8000-000000000001"),
    [`/etc/mdevctl.d/mtty/${UUIDS[2]}`]: `{"mdev_type":"mtty-1"}`,
  });
  const usages: Readonly<Record<string, { readonly device: string; readonly kind: string; readonly text: string }>> = {
    "names a running VM": { device: UUIDS[0], kind: "used", text: "in use by VM web1 (pid 42)" },
    "names a VM that is shut off": { device: UUIDS[1], kind: "used", text: "in use by VM off (shut off)" },
    "names another process": { device: NIC, kind: "used", text: "in use by process dpdk-testpmd (pid 77)" },
    "does not count a definition of mdevctl": {
      device: UUIDS[2],
      kind: "unused",
      text: "unused, with a definition in mdevctl",
    },
  };
  for (const [name, { device, ...usage }] of Object.entries(usages)) {
    it(name, () => assert.deepEqual(explainUsage(running, device), usage));
  }
});
