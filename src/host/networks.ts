import { closeSync, openSync, writeSync } from "node:fs";
import { Hub } from "../backend/hub.ts";
import { Loopback } from "../backend/loopback.ts";
import type { NetworkBackend } from "../backend/network.ts";
import { CapturedNetwork, pcapHeader } from "../backend/pcap.ts";
import type { Network } from "../board/options.ts";
import { Failure, reason } from "./failure.ts";
import { type NetOption, parseNet } from "./net-option.ts";
import { say } from "./stderr.ts";

/** What a network card is joined to: `--net`'s words or fields, or a back end of one's own. */
export type NetSource = string | NetOption | NetworkBackend;

/** Hubs which machines of this process are at. One that the last machine has left is forgotten. */
const hubs = new Map<string, Hub>();

/** The networks of a machine, and how to let go of them. */
export class Networks {
  readonly cards: readonly Network[];
  readonly #file: string | undefined;
  #pcap: number | undefined;

  /**
   * @param file where to write every frame which a card sends or takes, for tshark and its kin; undefined for nowhere.
   * @param epoch the machine's time 0 in seconds since 1970.
   */
  constructor(sources: readonly NetSource[], file: string | undefined, epoch: number) {
    const wanted = sources.map((source) => (typeof source === "string" ? parseNet(source) : source));
    this.#file = file;
    this.#pcap = file === undefined ? undefined : open(file);
    if (this.#pcap !== undefined) this.#put(pcapHeader());
    this.cards = wanted
      .filter((source) => source !== undefined)
      .map((source) => {
        const backend = "send" in source ? source : connect(source);
        const mac = "send" in source ? undefined : source.mac;
        if (this.#pcap === undefined) return { backend, mac };
        return { backend: new CapturedNetwork(backend, { put: (bytes) => this.#put(bytes), epoch }), mac };
      });
  }

  close(): void {
    for (const { backend } of this.cards) backend.close();
    for (const [name, hub] of hubs) if (hub.size === 0) hubs.delete(name);
    if (this.#pcap !== undefined) closeSync(this.#pcap);
    this.#pcap = undefined;
  }

  #put(bytes: Uint8Array): void {
    if (this.#pcap === undefined) return;
    try {
      for (let at = 0; at < bytes.length; ) at += writeSync(this.#pcap, bytes, at);
    } catch (error) {
      // A full disk does not end the guest.
      say(`the capture file ${this.#file} ends here: ${reason(error)}`);
      closeSync(this.#pcap);
      this.#pcap = undefined;
    }
  }
}

function connect(option: NetOption): NetworkBackend {
  if (option.hub === undefined) return new Loopback();
  const hub = hubs.get(option.hub) ?? new Hub(option.hub);
  hubs.set(option.hub, hub);
  return hub.port();
}

function open(file: string): number {
  try {
    return openSync(file, "w");
  } catch (error) {
    throw new Failure(`cannot write the capture file ${file}: ${reason(error)}; give another with --pcap`);
  }
}
