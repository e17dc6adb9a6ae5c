// SPDX-License-Identifier: Apache-2.0

/** One vGPU type of a GPU model, as its `description` tells it. */
export interface VgpuType {
  /** The number behind `nvidia-` in the type id. */
  readonly id: string;
  readonly name: string;
  readonly heads: number;
  /** Frame rate limit. */
  readonly frameRate: number;
  readonly framebufferMib: number;
  readonly maxResolution: string;
}

/** A GPU model: what simulated GPUs are made from. */
export interface GpuModel {
  readonly pciDevice: string;
  readonly subsystemDevice: string;
  readonly framebufferMib: number;
  readonly types: readonly VgpuType[];
}

export type GpuModelName = "T4" | "A2";

type Row = readonly [id: string, name: string, gib: number, heads: number, frameRate: number, maxResolution: string];

/** From the type catalogue and a capture of a T4-shaped parent on Linux 6.12. */
const T4: readonly Row[] = [
  ["222", "GRID T4-1B", 1, 4, 60, "5120x2880"],
  ["230", "GRID T4-1Q", 1, 4, 60, "5120x2880"],
  ["231", "GRID T4-2Q", 2, 4, 60, "5120x2880"],
  ["232", "GRID T4-4Q", 4, 4, 60, "5120x2880"],
  ["233", "GRID T4-8Q", 8, 4, 60, "5120x2880"],
  ["234", "GRID T4-16Q", 16, 4, 60, "5120x2880"],
];

/** From a capture of a virtual function of a real A2. */
const A2: readonly Row[] = [
  ["742", "NVIDIA A2-1B", 1, 4, 45, "5120x2880"],
  ["743", "NVIDIA A2-2B", 2, 4, 45, "5120x2880"],
  ["744", "NVIDIA A2-1Q", 1, 4, 60, "5120x2880"],
  ["745", "NVIDIA A2-2Q", 2, 4, 60, "7680x4320"],
  ["746", "NVIDIA A2-4Q", 4, 4, 60, "7680x4320"],
  ["747", "NVIDIA A2-8Q", 8, 4, 60, "7680x4320"],
  ["748", "NVIDIA A2-16Q", 16, 4, 60, "7680x4320"],
  ["749", "NVIDIA A2-1A", 1, 1, 60, "1280x1024"],
  ["750", "NVIDIA A2-2A", 2, 1, 60, "1280x1024"],
  ["751", "NVIDIA A2-4A", 4, 1, 60, "1280x1024"],
  ["752", "NVIDIA A2-8A", 8, 1, 60, "1280x1024"],
  ["753", "NVIDIA A2-16A", 16, 1, 60, "1280x1024"],
  ["754", "NVIDIA A2-4C", 4, 1, 60, "4096x2400"],
  ["755", "NVIDIA A2-8C", 8, 1, 60, "4096x2400"],
  ["756", "NVIDIA A2-16C", 16, 1, 60, "4096x2400"],
];

/** The models that a simulated host can hold. */
export const GPU_MODELS: Readonly<Record<GpuModelName, GpuModel>> = {
  T4: { pciDevice: "1eb8", subsystemDevice: "12a2", framebufferMib: 16_384, types: T4.map(readRow) },
  A2: { pciDevice: "25b6", subsystemDevice: "157e", framebufferMib: 16_384, types: A2.map(readRow) },
};

function readRow([id, name, gib, heads, frameRate, maxResolution]: Row): VgpuType {
  return { id, name, heads, frameRate, framebufferMib: gib * 1024, maxResolution };
}
