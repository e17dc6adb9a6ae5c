// SPDX-License-Identifier: Apache-2.0

/** A file of a simulated host beside those that its machines bring. */
export interface FileSpec {
  /** Absolute path. */
  readonly path: string;
  readonly text: string;
}

/** A VM of a simulated host, as QEMU and libvirt show it. */
export interface VmSpec {
  readonly name: string;
  readonly uuid: string;
  readonly memoryMib: number;
  /** UUIDs of its mdev devices. */
  readonly devices: readonly string[];
  /** Process of a running VM; left out: it is shut off. */
  readonly pid?: number;
  /** The stack that made it leaves its mark in the metadata. */
  readonly stack?: "nova";
}

const NOVA_MARK =
  '  <metadata>\n    <nova:instance xmlns:nova="http://openstack.org/xmlns/libvirt/nova/1.1">\n      <nova:package version="31.0.0"/>\n    </nova:instance>\n  </metadata>\n';

/** What the files of a host with these VMs show: its first two processes, one for each VM that runs, and every definition. */
export function makeVmFiles(vms: readonly VmSpec[]): readonly FileSpec[] {
  const kernelThread = [...makeProcess(2, []), { path: "/proc/2/comm", text: "kthreadd\n" }];
  return [...makeProcess(1, ["/sbin/init"]), ...kernelThread, ...vms.flatMap(makeVm)];
}

function makeVm(vm: VmSpec): readonly FileSpec[] {
  const stored = { path: `/etc/libvirt/qemu/${vm.name}.xml`, text: formatDomain(vm, "") };
  if (vm.pid === undefined) return [stored];
  const live = `<domstatus state='running' reason='booted' pid='${vm.pid}'>\n${formatDomain(vm, " id='1'")}</domstatus>\n`;
  return [stored, { path: `/run/libvirt/qemu/${vm.name}.xml`, text: live }, ...makeProcess(vm.pid, listArguments(vm))];
}

function makeProcess(pid: number, args: readonly string[]): readonly FileSpec[] {
  return [
    { path: `/proc/${pid}/cmdline`, text: args.map((argument) => `${argument}\0`).join("") },
    { path: `/proc/${pid}/fd/0`, text: "" },
  ];
}

function listArguments(vm: VmSpec): readonly string[] {
  const devices = vm.devices.flatMap((uuid, index) => [
    "-device",
    `{"driver":"vfio-pci","id":"hostdev${index}","sysfsdev":"/sys/bus/mdev/devices/${uuid}"}`,
  ]);
  const name = ["-name", `guest=${vm.name},debug-threads=on`];
  return ["/usr/bin/qemu-system-x86_64", ...name, "-m", `size=${vm.memoryMib * 1024}k`, "-uuid", vm.uuid, ...devices];
}

function formatDomain(vm: VmSpec, attributes: string): string {
  const devices = vm.devices.map(
    (uuid) =>
      `    <hostdev mode='subsystem' type='mdev' managed='no' model='vfio-pci'>\n      <source>\n        <address uuid='${uuid}'/>\n      </source>\n    </hostdev>\n`,
  );
  const mark = vm.stack === "nova" ? NOVA_MARK : "";
  return `<domain type='kvm'${attributes}>\n  <name>${vm.name}</name>\n  <uuid>${vm.uuid}</uuid>\n${mark}  <memory unit='KiB'>${vm.memoryMib * 1024}</memory>\n  <devices>\n${devices.join("")}  </devices>\n</domain>\n`;
}
