#ifndef FEATURES_H
#define FEATURES_H

#include "types.h"

/* A set of feature bits, 0 to 63 and 64 to 127: as far as our layouts' select registers are followed. */
struct features {
	u64 half[2];
};

/* A bit in its half. */
#define FEATURE(bit) (1ull << ((bit) & 63))

static inline bool has_feature(const struct features *set, u32 bit)
{
	return set->half[bit >> 6] & FEATURE(bit);
}

static inline struct features features_in_both(struct features a, struct features b)
{
	return (struct features){{a.half[0] & b.half[0], a.half[1] & b.half[1]}};
}

/* Bits 32 * word and up, as the select registers number them. */
static inline u32 feature_word(const struct features *set, u32 word)
{
	return word & 1 ? high_half(set->half[word >> 1]) : low_half(set->half[word >> 1]);
}

static inline void set_feature_word(struct features *set, u32 word, u32 bits)
{
	u64 *half = &set->half[word >> 1];

	*half = word & 1 ? (u64)bits << 32 | low_half(*half) : (u64)high_half(*half) << 32 | bits;
}

#endif
