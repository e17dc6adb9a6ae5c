// SPDX-License-Identifier: Apache-2.0

import { refused, WRITTEN, type Attribute } from "../tree/node.ts";
import { listFlatAttributes, type FlatAttributes } from "./flat-attributes.ts";
import type { BusDriver } from "./driver-folder.ts";
import type { MdevDriver, MigrationFeature, NamedAttribute } from "./mdev-driver.ts";
import { sampleAttribute } from "./mtty.ts";
import type { GpuModel, VgpuType } from "./nvidia-catalogue.ts";

/** What an NVIDIA vGPU manager on the mdev bus is told. */
export interface NvidiaSpec {
  readonly model: GpuModel;
  /** The mdev driver; `nvidia-vgpu-vfio` of module `nvidia_vgpu_vfio` where it is left out. */
  readonly mdevDriver?: BusDriver;
  /** Group of attributes at its devices: NVIDIA's own, or that of the lab's driver, which is built from a kernel sample. */
  readonly deviceGroup?: "nvidia" | "sample";
  readonly attributes?: FlatAttributes;
  readonly migrationFeatures?: readonly MigrationFeature[];
}

/** The framebuffer of one GPU in equal-size mode: one size at a time, whichever types have it. */
export interface GpuBudget {
  readonly totalMib: number;
  /** Framebuffer of each device, by UUID. */
  readonly taken: Map<string, number>;
}

/** Makes the budget of one GPU. With SR-IOV all of its virtual functions share it. */
export function makeGpuBudget(model: GpuModel): GpuBudget {
  return { totalMib: model.framebufferMib, taken: new Map() };
}

/**
 * Makes the driver of one parent: a GPU, or with `perParent` 1 one of its virtual functions. A full parent answers
 * ENOSPC, as the lab's driver does.
 */
export function makeNvidiaDriver(spec: NvidiaSpec, budget: GpuBudget, perParent: number): MdevDriver {
  const types = new Map(spec.model.types.map((type) => [type.id, type]));
  const here = new Set<string>();
  const typeOf = (id: string): VgpuType => {
    const type = types.get(id);
    if (type === undefined) throw new RangeError(`This GPU has no type ${JSON.stringify(id)}`);
    return type;
  };
  const available = (id: string) => Math.min(countRoom(budget, typeOf(id).framebufferMib), perParent - here.size);
  return {
    busDriver: spec.mdevDriver ?? { name: "nvidia-vgpu-vfio", module: "nvidia_vgpu_vfio" },
    deviceApi: "vfio-pci",
    types: spec.model.types.map((type) => ({ name: type.id, prettyName: type.name })),
    available,
    describe: (id) => formatDescription(typeOf(id), spec.model),
    probe: (device) => {
      if (available(device.type) < 1) return refused("ENOSPC");
      budget.taken.set(device.uuid, typeOf(device.type).framebufferMib);
      here.add(device.uuid);
      return undefined;
    },
    remove: (device) => {
      budget.taken.delete(device.uuid);
      here.delete(device.uuid);
    },
    typeAttributes: () => listFlatAttributes(spec.attributes),
    deviceAttributes: (device) => [spec.deviceGroup === "sample" ? sampleAttribute(device.uuid) : vgpuParams()],
    ...(spec.migrationFeatures === undefined ? {} : { migrationFeatures: spec.migrationFeatures }),
  };
}

/** How many more devices of a framebuffer size the GPU could hold. */
function countRoom(budget: GpuBudget, framebufferMib: number): number {
  const sizes = [...budget.taken.values()];
  if (sizes.some((size) => size !== framebufferMib)) return 0;
  return Math.floor(budget.totalMib / framebufferMib) - sizes.length;
}

/** `nvidia/vgpu_params`: plugin parameters of a device; reads back what was written. */
function vgpuParams(): NamedAttribute {
  let text = "\n";
  const attribute: Attribute = {
    mode: 0o644,
    show: () => ({ kind: "text", text }),
    store: (written) => {
      text = written;
      return WRITTEN;
    },
  };
  return { name: "nvidia/vgpu_params", attribute };
}

function formatDescription(type: VgpuType, model: GpuModel): string {
  const pairs = {
    num_heads: type.heads,
    frl_config: type.frameRate,
    framebuffer: `${type.framebufferMib}M`,
    max_resolution: type.maxResolution,
    max_instance: Math.floor(model.framebufferMib / type.framebufferMib),
  };
  const words = Object.entries(pairs).map(([key, value]) => `${key}=${value}`);
  return `${words.join(", ")}\n`;
}
