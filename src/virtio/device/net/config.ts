import { DeviceConfig } from "../../config.ts";
import { macLength } from "./filter.ts";
import { hashTypes, keyLength } from "./hash.ts";
import { queuePairs, tableLength } from "./steering.ts";

const linkUp = 1;

/** The configuration space of a network device (virtio 1.2 section 5.1.4). Its link is what it is, also after a reset. */
export class NetConfig extends DeviceConfig {
  readonly #link: () => boolean;

  constructor(name: string, mac: Uint8Array, mtu: number, link: () => boolean) {
    super(name, 24, [
      // A field a byte: an address has no byte order. Only a legacy driver may write them (section 5.1.4.2).
      ...Array.from(mac, (value, at) => ({ name: `mac${at}`, at, width: 1, value, access: "rw" }) as const),
      { name: "status", at: 6, width: 2, value: link() ? linkUp : 0 },
      { name: "max_virtqueue_pairs", at: 8, width: 2, value: queuePairs },
      { name: "mtu", at: 10, width: 2, value: mtu },
      { name: "speed", at: 12, width: 4, value: 0xffff_ffff },
      { name: "duplex", at: 16, width: 1, value: 0xff },
      { name: "rss_max_key_size", at: 17, width: 1, value: keyLength },
      { name: "rss_max_indirection_table_length", at: 18, width: 2, value: tableLength },
      { name: "supported_hash_types", at: 20, width: 4, value: hashTypes },
    ]);
    this.#link = link;
  }

  override reset(): void {
    super.reset();
    this.showLink();
  }

  /** Gives whether the field has changed. */
  showLink(): boolean {
    const status = this.#link() ? linkUp : 0;
    if (this.get("status") === status) return false;
    this.set("status", status);
    return true;
  }

  /** Gives whether the field has changed. */
  showMac(mac: Uint8Array): boolean {
    let changed = false;
    for (let i = 0; i < macLength; i++) {
      changed ||= this.get(`mac${i}`) !== mac[i];
      this.set(`mac${i}`, mac[i] as number);
    }
    return changed;
  }

  /** What the field holds, a legacy driver's own writes included. */
  readMac(into: Uint8Array): void {
    for (let i = 0; i < macLength; i++) into[i] = this.get(`mac${i}`);
  }
}
