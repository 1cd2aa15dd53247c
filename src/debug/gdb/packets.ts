/** Bytes of a packet's contents at most, both ways; told to gdb as PacketSize. */
export const packetSize = 16384;

/** What the other side sent. The contents of a packet are characters of 8 bits, escapes resolved. */
export type Received =
  | { readonly kind: "packet"; readonly text: string }
  | { readonly kind: "ack" | "nak" | "interrupt" | "broken" };

const dollar = 0x24;
const hash = 0x23;
const escapeByte = 0x7d;

/**
 * Finds packets in a stream of bytes (GDB manual, appendix E.1: `$contents#checksum`). Whatever comes in, nothing is kept beyond one packet:
 * a longer one, or one with a wrong checksum, is broken.
 */
export class PacketReader {
  /** Whether checksums are looked at: not any more after QStartNoAckMode. */
  checked = true;
  #state: "outside" | "contents" | "checksum" = "outside";
  #text: string[] = [];
  #sum = 0;
  #escaped = false;
  #tooLong = false;
  #digits = "";

  *read(bytes: Uint8Array): Generator<Received> {
    for (const byte of bytes) {
      const received = this.#take(byte);
      if (received !== undefined) yield received;
    }
  }

  #take(byte: number): Received | undefined {
    if (this.#state === "outside") {
      if (byte === dollar) this.#begin();
      else if (byte === 0x2b) return { kind: "ack" };
      else if (byte === 0x2d) return { kind: "nak" };
      else if (byte === 0x03) return { kind: "interrupt" };
      return undefined;
    }
    if (this.#state === "contents") {
      // A new packet may begin anywhere: the one before it was cut short.
      if (byte === dollar) this.#begin();
      else if (byte === hash) {
        this.#state = "checksum";
        this.#digits = "";
      } else this.#content(byte);
      return undefined;
    }
    this.#digits += String.fromCharCode(byte);
    if (this.#digits.length < 2) return undefined;
    this.#state = "outside";
    const right = /^[0-9a-f]{2}$/i.test(this.#digits) && Number.parseInt(this.#digits, 16) === this.#sum;
    const whole = !this.#tooLong && !this.#escaped && (right || !this.checked);
    const text = this.#text.join("");
    this.#text = [];
    return whole ? { kind: "packet", text } : { kind: "broken" };
  }

  #begin(): void {
    this.#state = "contents";
    this.#text = [];
    this.#sum = 0;
    this.#escaped = false;
    this.#tooLong = false;
  }

  #content(byte: number): void {
    this.#sum = (this.#sum + byte) & 0xff;
    if (byte === escapeByte && !this.#escaped) {
      this.#escaped = true;
      return;
    }
    if (this.#text.length < packetSize) this.#text.push(String.fromCharCode(this.#escaped ? byte ^ 0x20 : byte));
    else this.#tooLong = true;
    this.#escaped = false;
  }
}

/** A packet with these contents, escaped and summed up. */
export function packet(text: string): Uint8Array {
  const bytes: number[] = [];
  for (let i = 0; i < text.length; i++) {
    const byte = text.charCodeAt(i) & 0xff;
    // The last is the mark of a run length.
    if (byte === dollar || byte === hash || byte === escapeByte || byte === 0x2a) bytes.push(escapeByte, byte ^ 0x20);
    else bytes.push(byte);
  }
  const sum = bytes.reduce((all, byte) => (all + byte) & 0xff, 0);
  const digits = sum.toString(16).padStart(2, "0");
  return Uint8Array.of(dollar, ...bytes, hash, digits.charCodeAt(0), digits.charCodeAt(1));
}
