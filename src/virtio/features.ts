/**
 * Feature bits as one number however many there are: bit 64 and beyond exist (virtio 1.2 section 2.2).
 * Big integers are kept off hot paths: whoever needs a feature per request keeps a boolean.
 */
export type Features = bigint;

export function bit(number: number): Features {
  return 1n << BigInt(number);
}

/** Bits of the ring and the transport (virtio 1.2 section 6, and 6.3 for those of the legacy interface). */
export const feature = {
  /** Legacy only: any split of a request over descriptors; always so with VERSION_1. */
  anyLayout: bit(27),
  indirectDescriptors: bit(28),
  eventIndex: bit(29),
  version1: bit(32),
  accessPlatform: bit(33),
  ringPacked: bit(34),
  inOrder: bit(35),
  notificationData: bit(38),
  notifConfigData: bit(39),
  ringReset: bit(40),
} as const;

/** How many 32-bit words of features the select registers reach: bits 0 to 127. */
export const featureWords = 4;

/** Bits 32 * select and up, as the feature registers show them; 0 for words that do not exist. */
export function featureWord(features: Features, select: number): number {
  return select < featureWords ? Number((features >> BigInt(32 * select)) & 0xffff_ffffn) : 0;
}

/** The inverse: all words, the lowest first, as one number. */
export function fromWords(words: Uint32Array): Features {
  let features = 0n;
  for (let i = words.length - 1; i >= 0; i--) {
    const word = words[i] as number;
    // Few words are anything but 0, and a driver that writes one after another has this asked of each.
    if (word !== 0 || features !== 0n) features = (features << 32n) | BigInt(word);
  }
  return features;
}
