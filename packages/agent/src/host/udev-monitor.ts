// SPDX-License-Identifier: Apache-2.0

import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";

/** What a watch of kernel events needs. */
export interface UdevParts {
  /** Something about devices may have changed: look when it suits. Hints may be missing and may come in bursts. */
  readonly onHint: () => void;
  readonly log: (line: string) => void;
  /** `udevadm` unless said. */
  readonly program?: string;
  /** Pause before the first restart, doubled each time up to a minute; 1 s unless said. */
  readonly restartMs?: number;
}

/** A watch that is open; it holds a process until it is closed. */
export interface UdevMonitor {
  close(): void;
}

const SUBSYSTEMS = ["mdev", "mdev_bus", "pci", "vfio", "vfio-dev", "ap", "css", "module"];
const ENVIRONMENT = { PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", LC_ALL: "C" };
const RESTART_MS = 1000;
const RESTART_MAX_MS = 60_000;
/** One that lived this long died of something new. */
const LONG_LIFE_MS = 60_000;

/**
 * Watches kernel events through `udevadm monitor`. Only hints: many changes send none, so a host is rescanned anyway.
 * Where there is no udevadm that is said once; where it dies it is started again, after pauses that grow.
 */
export function openUdevMonitor(parts: UdevParts): UdevMonitor {
  const monitor = new Monitor(parts);
  monitor.start();
  return monitor;
}

/** Owns the process and the timer of its restart. */
class Monitor implements UdevMonitor {
  readonly #parts: UdevParts;
  #child: ChildProcess | undefined;
  #timer: NodeJS.Timeout | undefined;
  #restarts = 0;
  #isClosed = false;

  constructor(parts: UdevParts) {
    this.#parts = parts;
  }

  start(): void {
    const { program = "udevadm" } = this.#parts;
    const matches = SUBSYSTEMS.map((subsystem) => `--subsystem-match=${subsystem}`);
    const startedMs = performance.now();
    let isOver = false;
    const end = (why: string, errno?: string): void => {
      if (isOver || this.#isClosed) return;
      isOver = true;
      this.#restart(why, { ...(errno === undefined ? {} : { errno }), livedMs: performance.now() - startedMs });
    };
    let child: ChildProcess;
    try {
      const args = ["monitor", "--kernel", ...matches];
      child = spawn(program, args, { env: ENVIRONMENT, stdio: ["ignore", "pipe", "ignore"] });
    } catch (error) {
      end(`it cannot be started: ${(error as NodeJS.ErrnoException).code}`);
      return;
    }
    this.#child = child;
    let line = "";
    child.stdout?.setEncoding("utf8").on("data", (text: string) => {
      const lines = (line + text).split("\n");
      line = (lines.pop() ?? "").slice(0, 4096);
      // The first lines say what is about to be printed.
      if (!this.#isClosed && lines.some((one) => one.startsWith("KERNEL["))) this.#parts.onHint();
    });
    child.once("error", (error: NodeJS.ErrnoException) => end(`it cannot be started: ${error.code}`, error.code));
    child.once("exit", (code, signal) => end(signal === null ? `exit ${code}` : `killed by ${signal}`));
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    this.#child?.kill("SIGKILL");
    this.#child?.stdout?.destroy();
  }

  #restart(why: string, { errno, livedMs }: { readonly errno?: string; readonly livedMs: number }): void {
    const { log, program = "udevadm", restartMs = RESTART_MS } = this.#parts;
    if (errno === "ENOENT") {
      log(`${program} is not installed: changes are only seen by rescans`);
      return;
    }
    if (livedMs >= LONG_LIFE_MS) this.#restarts = 0;
    const pauseMs = Math.min(RESTART_MAX_MS, restartMs * 2 ** Math.min(this.#restarts, 16));
    this.#restarts += 1;
    log(`${program} monitor ended (${why}): started again in ${pauseMs} ms`);
    this.#timer = setTimeout(() => this.start(), pauseMs);
    this.#timer.unref();
  }
}
