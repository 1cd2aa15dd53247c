import "node:child_process";
import "node:perf_hooks";
import "node:process";
import "node:tty";
import { setFlagsFromString } from "node:v8";
import "node:worker_threads";

/*
 * What the command asks of V8, before anything of ours is loaded, and behind what is used of node: node brings its own modules compiled for the flags that V8 has at first, and
 * compiles those anew that are loaded after a change, which took 20 to 40 ms.
 *
 * Branch hints tell V8 which ways are seldom gone, so that the slow way of an access does not cost the registers of the fast one: a quarter to a third
 * of the time of tight loops. Compilation hints have regions that another thread makes optimised there at once: compiled by V8's first compiler they were no faster than the interpreter, and each was
 * compiled twice. Node has both behind flags; a V8 without them would say on stderr that it does not know them, so only those that are known to have them are asked.
 */
const [major = 0] = process.versions.node.split(".").map(Number);
const isKnown = major === 24 || major === 25;
if (isKnown) {
  setFlagsFromString("--experimental-wasm-branch-hinting");
  setFlagsFromString("--experimental-wasm-compilation-hints");
}

/*
 * Node fills its compile cache when a module is loaded, not when the program ends, so functions which are compiled when they are first called are never in it: a boot parsed 1,750 of them
 * again each time. Compiled with their module they are kept, at the cost of a first start that is some tenths of a second longer.
 */
setFlagsFromString("--no-lazy");

/*
 * One thread of V8's compiles for all of ours, and regions wait there for their optimised code behind functions of JavaScript, each of which takes as long as a region. These have Maglev's code by
 * then, so they can be called four times as often before they are optimised once more.
 */
if (isKnown) setFlagsFromString("--invocation-count-for-turbofan=12000");

/* A guest's first requests to a device come when it has long been booted, and a test may have no more than some hundreds: an eighth of 256 first reads went into functions that were not worth Maglev's code yet. */
if (isKnown) setFlagsFromString("--invocation-count-for-maglev=50");

/*
 * Heaps are collected before they have grown by a fifth: making regions leaves much behind, which V8 would let lie up to four times what is in use. What it has for that itself,
 * `--optimize-for-size`, makes each collection of old objects throw the shapes of objects away of which none is left between two regions, and with them all code that
 * was compiled for those: the thread that makes regions took twice as long.
 */
setFlagsFromString("--heap-growing-percent=20");

/*
 * A heap whose objects are being marked asks for a task in which to go on, again and again, and with one thread of V8's, which marks too, but behind all it has to compile, there may be nothing left to do in
 * it: a thread that had nothing else to do kept a core busy for tenths of a second with thousands of such tasks. Without them it is marked as it is filled.
 */
setFlagsFromString("--no-incremental-marking-task");

/* Functions that were not called through some collections are compiled again, from their source, when they are: a disk's, behind a long boot. */
setFlagsFromString("--no-flush-bytecode");

/*
 * Where objects are born there is as much room as at first: in this thread what the command line says (1 MiB if nothing), and 6 in those that are started from here on, where what one region
 * leaves is mostly dead by the time it is full.
 */
setFlagsFromString("--semi-space-growth-factor=1");
setFlagsFromString("--min-semi-space-size=6");
