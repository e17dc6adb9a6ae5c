// SPDX-License-Identifier: Apache-2.0

import { refused, settingAttribute, triggerAttribute, WRITTEN } from "../tree/node.ts";
import type { Kernel } from "./kernel.ts";

/** A driver on a bus, and the module it comes from; the two need not have one name. */
export interface BusDriver {
  readonly name: string;
  readonly module: string;
}

/** Makes the folder of a bus, `/sys/bus/<bus>`, as bus_register() does. */
export function addBus(kernel: Kernel, bus: "mdev" | "pci"): void {
  const folder = `/sys/bus/${bus}`;
  kernel.tree.addDirectory(`${folder}/devices`);
  kernel.tree.addDirectory(`${folder}/drivers`);
  kernel.tree.addAttribute(`${folder}/drivers_autoprobe`, settingAttribute("1\n"));
  kernel.tree.addAttribute(
    `${folder}/drivers_probe`,
    triggerAttribute(() => refused("ENODEV")),
  );
  kernel.tree.addAttribute(
    `${folder}/uevent`,
    triggerAttribute(() => WRITTEN),
  );
}

/**
 * Makes the folder of a driver with its `module` link; one that exists is left as it is. Binding and unbinding by hand is
 * not simulated and answers ENODEV.
 */
export function addBusDriver(kernel: Kernel, bus: "mdev" | "pci", driver: BusDriver): void {
  const folder = `/sys/bus/${bus}/drivers/${driver.name}`;
  const triggers = bus === "pci" ? ["bind", "unbind", "new_id", "remove_id"] : ["bind", "unbind"];
  for (const name of triggers) {
    kernel.tree.addAttribute(
      `${folder}/${name}`,
      triggerAttribute(() => refused("ENODEV")),
    );
  }
  kernel.tree.addAttribute(
    `${folder}/uevent`,
    triggerAttribute(() => WRITTEN),
  );
  kernel.tree.addLink(`${folder}/module`, `/sys/module/${driver.module}`);
}
