import { usage } from "./failure.ts";
import { hint } from "./nearest.ts";

/** What `--net KIND[,mac=ADDRESS]` asks for. */
export interface NetOption {
  readonly kind: "loopback" | "hub";
  /** Of a hub: machines of this process which say the same name are at the same one. */
  readonly hub?: string;
  readonly mac?: Uint8Array;
}

const kinds = ["none", "loopback", "hub:NAME"];

/** Gives undefined for `none`. */
export function parseNet(text: string): NetOption | undefined {
  const [kind = "", ...rest] = text.split(",");
  let mac: Uint8Array | undefined;
  for (const part of rest) {
    if (!part.startsWith("mac=")) throw usage(`--net ${text}: ${part} is not known; there is mac=ADDRESS`);
    mac = parseMac(text, part.slice("mac=".length));
  }
  if (kind === "none") return undefined;
  if (kind === "loopback") return { kind, mac };
  if (kind === "user")
    throw usage(`--net ${text}: a network by way of the host is not there yet; there are loopback and hub:NAME`);
  const hub = /^hub:(.+)$/.exec(kind)?.[1];
  if (hub === undefined)
    throw usage(`--net ${text}: not one of ${kinds.join(", ")}${hint(kind, ["none", "loopback"])}`);
  return { kind: "hub", hub, mac };
}

function parseMac(text: string, mac: string): Uint8Array {
  if (!/^[0-9a-f][02468ace](:[0-9a-f]{2}){5}$/i.test(mac))
    throw usage(`--net ${text}: ${mac} is not the address of a station; write for example mac=02:00:00:00:00:01`);
  return Uint8Array.from(mac.split(":"), (byte) => Number.parseInt(byte, 16));
}
