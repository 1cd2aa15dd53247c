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
 * of the time of tight loops. Node has them behind a flag; a V8 without it would say on stderr that it does not know it, so only those that are known to have it are asked.
 */
const [major = 0] = process.versions.node.split(".").map(Number);
if (major === 24 || major === 25) setFlagsFromString("--experimental-wasm-branch-hinting");

/*
 * Node fills its compile cache when a module is loaded, not when the program ends, so functions which are compiled when they are first called are never in it: a boot parsed 1,750 of them
 * again each time. Compiled with their module they are kept, at the cost of a first start that is some tenths of a second longer.
 */
setFlagsFromString("--no-lazy");

/*
 * Heaps are collected before they grow: making regions leaves much behind, which V8 would let lie up to four times what is in use, in the thread that makes them too. On an idle machine
 * it costs no time that could be measured.
 */
setFlagsFromString("--optimize-for-size");
