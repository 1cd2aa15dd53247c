import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import type { Debugger } from "../debug/debugger.ts";
import { GdbSession } from "../debug/gdb/session.ts";
import { Failure, reason } from "./failure.ts";
import { say } from "./stderr.ts";

/** Bytes which a gdb that does not read may have waiting before it is sent away. */
const most = 1 << 20;

/** What a connection may ask for. */
export interface GdbWishes {
  monitor(line: string): string;
  kill(): void;
}

/** The port at which gdb finds the machine: one connection at a time, and from this host alone. */
export class GdbPort {
  readonly #server: Server;
  #socket: Socket | undefined;

  private constructor(server: Server) {
    this.#server = server;
  }

  /** @param port 0 for any that is free. @throws Failure when it cannot be had. */
  static async open(port: number, debug: Debugger, wishes: GdbWishes): Promise<GdbPort> {
    const server = createServer();
    const opened = new GdbPort(server);
    server.on("connection", (socket) => opened.#connected(socket, debug, wishes));
    await new Promise<void>((resolve, reject) => {
      server.once("error", (error) =>
        reject(new Failure(`cannot listen for gdb at port ${port}: ${reason(error)}; give another with --gdb`)),
      );
      server.listen(port, "127.0.0.1", resolve);
    });
    const { port: got } = server.address() as AddressInfo;
    say(`stopped, waiting for gdb; there: target remote 127.0.0.1:${got}`);
    return opened;
  }

  /** Whether a gdb is attached. */
  get attached(): boolean {
    return this.#socket !== undefined;
  }

  /** Resolves when gdb has the last of what was said to it, or is gone. */
  async close(): Promise<void> {
    this.#server.close();
    const socket = this.#socket;
    if (socket === undefined) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, 500);
      socket.once("close", () => {
        clearTimeout(timer);
        resolve();
      });
      socket.end();
    });
    socket.destroy();
  }

  #connected(socket: Socket, debug: Debugger, wishes: GdbWishes): void {
    if (this.#socket !== undefined) {
      socket.destroy();
      return;
    }
    this.#socket = socket;
    socket.setNoDelay(true);
    const session = new GdbSession(debug, {
      write(bytes) {
        if (socket.writableLength > most) socket.destroy();
        else if (!socket.destroyed) socket.write(bytes);
      },
      monitor: wishes.monitor,
      kill: wishes.kill,
    });
    socket.on("data", (bytes: Uint8Array) => session.receive(bytes));
    socket.on("error", () => socket.destroy());
    socket.on("close", () => {
      this.#socket = undefined;
      session.close();
    });
  }
}
