#include "arch.h"
#include "hostile.h"
#include "string.h"
#include "virtio_blk.h"

/* Cases 1 to 12: chains and rings which break the rules of virtio 1.2 sections 2.7 and 2.8. */

#define NEED_SPLIT(h, reason)                 \
	do {                                  \
		if (hostile_packed(h))        \
			return SKIP(reason);  \
	} while (0)

enum { TABLE_PAGE = 1 };

static u64 at(struct hostile *h, u32 offset) { return (uintptr_t)h->room + offset; }
static u8 *table(struct hostile *h) { return h->room + TABLE_PAGE * PAGE_SIZE; }

/* One chain of the device's own kind which is broken, from a fresh start. */
static const char *breaks(struct hostile *h, const struct piece *pieces, u32 count)
{
	if (!hostile_begin(h, 0))
		return "it did not come up";
	hostile_offer_raw(h, pieces, count);
	hostile_kick(h);
	return hostile_expect_broken(h);
}

static const char *loop(struct hostile *h)
{
	struct piece p[] = {{at(h, 0), 4, DESCRIPTOR_NEXT, 1}, {at(h, 0), 4, DESCRIPTOR_NEXT, 0}};

	NEED_SPLIT(h, "a list of a packed ring has no indices to make a loop of");
	return breaks(h, p, 2);
}

/* Every descriptor of the ring says that there is one more. */
static const char *endless(struct hostile *h)
{
	struct virtqueue *q = hostile_ring(h);

	for (u16 i = 0; i < q->size; i++) {
		struct piece p = {at(h, 0), 4, DESCRIPTOR_NEXT, (u16)((i + 1) % q->size)};
		hostile_offer_raw(h, &p, 1);
	}
	hostile_kick(h);
	h->next = q->size;
	return hostile_expect_broken(h);
}

static const char *next_outside(struct hostile *h)
{
	NEED_SPLIT(h, "a list of a packed ring has no next");
	u16 size = hostile_ring(h)->size;
	u16 beyond[] = {size, (u16)(size + 1), 0xffff};

	for (u32 i = 0; i < COUNT(beyond); i++) {
		struct piece p = {at(h, 0), 4, DESCRIPTOR_NEXT, beyond[i]};
		TRY(breaks(h, &p, 1));
	}
	return NULL;
}

static const char *head_outside(struct hostile *h)
{
	NEED_SPLIT(h, "a packed ring has no heads");
	u16 size = hostile_ring(h)->size;
	u16 beyond[] = {size, 0xffff};

	for (u32 i = 0; i < COUNT(beyond); i++) {
		if (!hostile_begin(h, 0))
			return "it did not come up";
		hostile_available(h, beyond[i]);
		hostile_kick(h);
		TRY(hostile_expect_broken(h));
	}
	return NULL;
}

/* The data of a request lie there. A disk says so in its status, the others give the chain back with nothing written. */
const char *hostile_data_at(struct hostile *h, u64 address)
{
	struct piece p[3];
	u32 data;

	if (!hostile_begin(h, 0))
		return "it did not come up";
	u32 count = hostile_request(h, p, &data);
	p[data].address = address;
	hostile_offer(h, p, count);
	hostile_kick(h);
	if (h->device->type != VIRTIO_BLOCK)
		return hostile_expect_used(h, 0);
	TRY(hostile_expect_used(h, 1));
	EXPECT("request's status", h->room[1024], BLK_IOERR);
	return NULL;
}

static const char *buffer_outside(struct hostile *h)
{
	u64 top = 0;

	for (int i = 0; i < boot.ram_count; i++)
		if (boot.ram[i].base + boot.ram[i].size > top)
			top = boot.ram[i].base + boot.ram[i].size;
	u64 bad[] = {0xffffffffull - 3, ~0ull - 15, 0xf000000000ull, 1ull << 63, 0};

	for (u32 i = 0; bad[i] != 0; i++)
		TRY(hostile_data_at(h, bad[i]));
	/* Half in RAM: what there is of it stays as it was. */
	return top < 1ull << 32 ? hostile_data_at(h, top + 0x100000) : NULL;
}

static const char *indirect_in_indirect(struct hostile *h)
{
	struct piece inner = {(uintptr_t)table(h), 16, DESCRIPTOR_INDIRECT, 0};
	struct piece outer = {(uintptr_t)table(h), 16, DESCRIPTOR_INDIRECT, 0};

	NEED_SPLIT(h, "of the flags in a table of a packed ring only WRITE counts (2.8.7)");
	if (!hostile_begin(h, 0))
		return "it did not come up";
	hostile_table(h, table(h), &inner, 1);
	hostile_offer(h, &outer, 1);
	hostile_kick(h);
	return hostile_expect_broken(h);
}

static const char *indirect_not_negotiated(struct hostile *h)
{
	struct piece p[3], outer = {(uintptr_t)table(h), 0, DESCRIPTOR_INDIRECT, 0};
	u32 data;

	if (!hostile_begin(h, FEATURE(F_INDIRECT)))
		return "it did not come up";
	u32 count = hostile_request(h, p, &data);
	hostile_table(h, table(h), p, count);
	outer.length = 16 * count;
	hostile_offer(h, &outer, 1);
	hostile_kick(h);
	return hostile_expect_broken(h);
}

static const char *indirect_with_next(struct hostile *h)
{
	struct piece p[] = {{(uintptr_t)table(h), 16, DESCRIPTOR_INDIRECT | DESCRIPTOR_NEXT, 1}, {at(h, 0), 4, 0, 0}};

	return breaks(h, p, 2);
}

/* The request by a table, reached by a descriptor with these flags. */
static const char *by_table(struct hostile *h, u16 flags, u32 direct)
{
	struct piece p[3], chain[2];
	u32 data;

	u32 count = hostile_request(h, p, &data);
	hostile_table(h, table(h), p + direct, count - direct);
	chain[0] = p[0];
	chain[direct] = (struct piece){(uintptr_t)table(h), 16 * (count - direct), flags, 0};
	hostile_offer(h, chain, direct + 1);
	hostile_kick(h);
	return hostile_expect_used(h, hostile_request_used(h));
}

static const char *write_flag_on_table(struct hostile *h)
{
	return by_table(h, DESCRIPTOR_INDIRECT | DESCRIPTOR_WRITE, 0);
}

static const char *bad_tables(struct hostile *h)
{
	u32 size = hostile_ring(h)->size;
	struct piece bad[] = {
		{(uintptr_t)table(h), 0, DESCRIPTOR_INDIRECT, 0},
		{(uintptr_t)table(h), 8, DESCRIPTOR_INDIRECT, 0},
		{(uintptr_t)table(h), 17, DESCRIPTOR_INDIRECT, 0},
		{0xf000000000ull, 16, DESCRIPTOR_INDIRECT, 0},
		{~0ull - 15, 16, DESCRIPTOR_INDIRECT, 0},
		{(uintptr_t)table(h), 16 * (size + 1), DESCRIPTOR_INDIRECT, 0},
		{(uintptr_t)table(h), 0xfffffff0, DESCRIPTOR_INDIRECT, 0},
	};

	for (u32 i = 0; i < COUNT(bad); i++)
		TRY(breaks(h, &bad[i], 1));
	return NULL;
}

static const char *direct_then_table(struct hostile *h)
{
	NEED_SPLIT(h, "in a packed ring a table stands alone (2.8.19)");
	if (h->device->type != VIRTIO_BLOCK && h->device->type != VIRTIO_NET)
		return SKIP("its request is one buffer");
	return by_table(h, DESCRIPTOR_INDIRECT, 1);
}

static const char *no_length(struct hostile *h)
{
	struct piece p[5];
	u32 data, count = hostile_request(h, p, &data);

	/* In front of the data, where it may be readable or writable like them. */
	for (u32 i = count; i > data; i--)
		p[i] = p[i - 1];
	p[data].length = 0;
	hostile_offer(h, p, count + 1);
	hostile_kick(h);
	return hostile_expect_used(h, hostile_request_used(h));
}

static const char *readable_last(struct hostile *h)
{
	struct piece p[] = {{at(h, 0), 16, DESCRIPTOR_WRITE | DESCRIPTOR_NEXT, 1}, {at(h, 64), 16, 0, 0}};

	return breaks(h, p, 2);
}

/* Nothing is to be written, and there is no status: the chain comes back with length 0. */
static const char *nothing_writable(struct hostile *h)
{
	struct piece p = {at(h, 512), 64, 0, 0};

	if (h->device->type == VIRTIO_CONSOLE || h->device->type == VIRTIO_NET)
		return SKIP("it writes nothing in this queue");
	memset(h->room + 512, 0x5a, 64);
	hostile_offer(h, &p, 1);
	hostile_kick(h);
	TRY(hostile_expect_used(h, 0));
	for (u32 i = 0; i < 64; i++)
		EXPECT("byte of the readable buffer", h->room[512 + i], 0x5a);
	return NULL;
}

/* A request's first buffer in pieces of one byte, as ANY_LAYOUT and VERSION_1 allow. */
static const char *cut_up(struct hostile *h)
{
	struct piece p[3], cut[5];
	u32 data, count = hostile_request(h, p, &data);

	cut[0] = cut[1] = p[0];
	cut[0].length = 1;
	cut[1].address++;
	cut[1].length--;
	for (u32 i = 1; i < count; i++)
		cut[i + 1] = p[i];
	hostile_offer(h, cut, count + 1);
	hostile_kick(h);
	return hostile_expect_used(h, hostile_request_used(h));
}

static const char *too_long(struct hostile *h)
{
	struct piece p[] = {{at(h, 0), 0xffffffff, DESCRIPTOR_NEXT, 1}, {at(h, 0), 2, 0, 0}};

	return breaks(h, p, 2);
}

static const char *index_jumps(struct hostile *h)
{
	NEED_SPLIT(h, "a packed ring has no index");
	struct virtqueue *q = hostile_ring(h);

	for (u32 i = 0; i < 2; i++) {
		if (!hostile_begin(h, 0))
			return "it did not come up";
		q->split.avail->index = q->order->w16(i == 0 ? (u16)(q->size + 1) : 0x8000);
		hostile_kick(h);
		TRY(hostile_expect_nothing(h));
		h->next = q->size;
		TRY(hostile_expect_broken(h));
	}
	return NULL;
}

static const char *index_goes_back(struct hostile *h)
{
	NEED_SPLIT(h, "a packed ring has no index");
	struct virtqueue *q = hostile_ring(h);

	TRY(hostile_works(h));
	q->split.avail->index = 0;
	hostile_kick(h);
	h->next = q->size;
	return hostile_expect_broken(h);
}

/* Once round 65536, by chains of one buffer which has no length. */
static const char *index_wraps(struct hostile *h)
{
	NEED_SPLIT(h, "a packed ring has no index");
	struct virtqueue *q = hostile_ring(h);
	u32 length, left = 65536 / q->size + 1;

	for (u16 i = 0; i < q->size; i++) {
		q->split.descriptors[i] = (struct vring_descriptor){.length = 0};
		q->split.avail->ring[i] = q->order->w16(i);
	}
	for (; left > 0; left--) {
		h->available = (u16)(h->available + q->size);
		q->split.avail->index = q->order->w16(h->available);
		hostile_kick(h);
		while (h->used != h->available) {
			TRY(hostile_expect_used(h, 0));
			while (hostile_used(h, &length))
				EXPECT("used length", length, 0);
		}
	}
	return NULL;
}

/* The device has it already: a disk holds it, and is broken; who is done with it at once may take it again. */
static const char *twice(struct hostile *h)
{
	struct piece p[3];
	u32 data, length, count = hostile_request(h, p, &data);

	NEED_SPLIT(h, "a packed ring has no heads, and its device needs no buffer IDs");
	hostile_offer(h, p, count);
	hostile_available(h, 0);
	hostile_kick(h);
	if (h->device->type == VIRTIO_BLOCK)
		return hostile_expect_broken(h);
	TRY(hostile_expect_used(h, hostile_request_used(h)));
	TRY(hostile_expect_used(h, hostile_request_used(h)));
	return hostile_used(h, &length) ? "it was used a third time" : NULL;
}

static const struct hostile_case cases[] = {
	{1, "a loop of descriptors", loop},
	{1, "a list which does not end", endless},
	{2, "a next beyond the queue", next_outside},
	{2, "a head beyond the queue", head_outside},
	{3, "a buffer which is not in RAM", buffer_outside},
	{4, "an indirect table in an indirect table", indirect_in_indirect},
	{4, "an indirect table without the feature", indirect_not_negotiated},
	{4, "an indirect table with a next", indirect_with_next},
	{4, "WRITE on an indirect table is ignored", write_flag_on_table},
	{5, "indirect tables of wrong sizes and places", bad_tables},
	{6, "a buffer and then a table", direct_then_table},
	{7, "a buffer of no length", no_length},
	{8, "readable behind writable", readable_last},
	{9, "nothing to write to", nothing_writable},
	{9, "a request cut into single bytes", cut_up},
	{10, "more than 4 GiB", too_long},
	{11, "an index which jumps", index_jumps},
	{11, "an index which goes back", index_goes_back},
	{11, "an index which wraps", index_wraps},
	{12, "the same head twice", twice},
};
const struct hostile_list hostile_chains = {cases, COUNT(cases)};
