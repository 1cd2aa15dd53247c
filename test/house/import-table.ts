/**
 * Who may import whom. A room may always import itself; what is not named here may not be imported.
 * ARCHITECTURE.md shows the same table, and a test holds the two together.
 */
export const importTable: Readonly<Record<string, readonly string[]>> = {
  trace: [],
  time: [],
  bus: [],
  ir: [],
  backend: ["time"],
  devices: ["bus", "time", "trace", "backend"],
  pci: ["bus", "trace"],
  virtio: ["bus", "pci", "time", "trace", "backend"],
  cpu: ["ir", "bus", "trace"],
  engine: ["ir", "bus", "trace"],
  loader: ["bus"],
  board: ["trace", "time", "bus", "ir", "backend", "devices", "pci", "virtio", "cpu", "engine", "loader"],
  debug: ["trace", "time", "bus", "ir", "backend", "devices", "pci", "virtio", "cpu", "engine", "loader", "board"],
  // Only the type MachineSpec: see the rule of its own.
  machines: ["board"],
  index: ["board", "machines", "debug"],
  host: [
    ...[
      "trace",
      "time",
      "bus",
      "ir",
      "backend",
      "devices",
      "pci",
      "virtio",
      "cpu",
      "engine",
      "loader",
      "board",
      "debug",
    ],
    ...["machines", "index"],
  ],
};

/** The table as ARCHITECTURE.md has it, a line a room. */
export function tableText(): string {
  const everything = Object.keys(importTable).length - 1;
  return Object.entries(importTable)
    .map(([room, allowed]) => {
      if (room === "machines") return `${room.padEnd(9)}only the type MachineSpec`;
      if (allowed.length === 0) return `${room.padEnd(9)}nothing`;
      if (allowed.length === everything) return `${room.padEnd(9)}everything`;
      return `${room.padEnd(9)}${allowed.join(", ")}`;
    })
    .join("\n");
}
