import { defineConfig } from "vitest/config";

/** Linux guests, which are not part of this project: `npm run test:linux`. They take minutes. */
export default defineConfig({
  test: {
    include: ["test/linux/**/*.linux.ts"],
    testTimeout: 1_800_000,
    hookTimeout: 1_800_000,
    maxWorkers: 2,
  },
});
