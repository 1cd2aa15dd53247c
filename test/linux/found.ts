import { find, guestNames, places } from "./guests.ts";

/** Says which guests there are, for who runs the tests. */
for (const name of guestNames) {
  const guest = find(name);
  const where = guest === undefined ? "none, its tests are skipped" : guest.kernel;
  process.stdout.write(`linux: ${name}: ${where}\n`);
}
if (guestNames.some((name) => find(name) === undefined))
  process.stdout.write(
    `linux: looked in ${places.join(", ")}; \`npm run guests:linux\` makes those of pc, BARZERO_IMAGES names a folder of others\n`,
  );
