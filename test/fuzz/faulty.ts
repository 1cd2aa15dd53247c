import { State } from "../../src/bus/state.ts";
import { DeviceConfig } from "../../src/virtio/config.ts";
import type { DeviceHost, VirtioDevice } from "../../src/virtio/device.ts";
import type { Chain } from "../../src/virtio/queue/chain.ts";

/** What a device may do wrong. */
export const faults = [
  "claims more than it wrote",
  "writes to a readable buffer",
  "throws",
  "gives reads which are too wide",
  "keeps a field over a reset",
  "is silent after a reset",
  "forgets to interrupt",
] as const;

export type Fault = (typeof faults)[number];

/** An entropy device with one fault: the fuzzer has to find it. */
export class FaultyRng implements VirtioDevice {
  readonly name = "rng0";
  readonly id = 4;
  readonly features = 0n;
  readonly queueSizes = [8];
  readonly config: DeviceConfig;
  readonly state = new State<{ served: number }>("rng0", { served: 0 });
  readonly #fault: Fault | undefined;
  readonly #write: (at: number) => void;
  #host: DeviceHost | undefined;
  #resets = 0;

  /** @param write stores a byte into guest memory behind every chain's back. */
  constructor(fault: Fault | undefined, write: (at: number) => void) {
    this.#fault = fault;
    this.#write = write;
    this.config = new DeviceConfig("rng0", 4, [{ name: "field", at: 0, width: 4 }]);
    if (fault === "gives reads which are too wide") this.config.read = () => 0x100;
  }

  connect(host: DeviceHost): void {
    this.#host = host;
  }

  supports(): boolean {
    return true;
  }

  negotiated(): void {}
  resetQueue(): void {}

  reset(): void {
    this.#resets++;
    if (this.#fault !== "keeps a field over a reset") this.state.reset();
  }

  notify(): void {
    const queue = this.#host?.queue(0);
    for (let chain = queue?.take(); chain !== undefined; chain = queue?.take()) {
      if (this.#fault === "is silent after a reset" && this.#resets > 1) return;
      queue?.give(chain, this.#fill(chain));
      this.state.now.served++;
    }
    if (this.#fault !== "forgets to interrupt") queue?.signal();
  }

  #fill(chain: Chain): number {
    if (this.#fault === "throws" && chain.readableLength > 0) throw new Error("a readable buffer");
    if (this.#fault === "writes to a readable buffer" && chain.readableLength > 0) this.#write(0xc000);
    const length = Math.min(chain.writableLength, 64);
    const given = chain.write(0, new Uint8Array(length).fill(0xee)) ? length : 0;
    return this.#fault === "claims more than it wrote" && given > 0 ? given + 1 : given;
  }
}
