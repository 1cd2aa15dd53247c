#include "tests.h"

/* Special-purpose registers: e500mc core reference manual, "Register Model". Bit 0x10 of a number makes it the supervisor's. */

enum { READ = 1, WRITE = 2, BOTH = 3, TCG_LACKS = 4 };

static const struct { u16 number; u8 way; const char *name; } all[] = {
#include "sprs.h"
};

static u32 spr_field(u32 number) { return (number & 31) << 16 | number >> 5 << 11; }
static u32 mfspr_word(u32 number) { return 0x7c6002a6 | spr_field(number); } /* r3 */
static u32 mtspr_word(u32 number) { return 0x7c6003a6 | spr_field(number); }
static char spr_name[64];

static const char *text(const char *name, const char *rest)
{
	char *to = spr_name;

	while (*name)
		*to++ = *name++;
	while (*rest)
		*to++ = *rest++;
	*to = 0;
	return spr_name;
}

static u32 by(u32 word, u32 value, u32 msr)
{
	start(word_code(word), msr);
	context.gpr[3] = value;
	return run();
}

static bool refused(u32 syndrome) { return context.vector == PROGRAM && context.esr == syndrome; }

/* What it has is written back, so that nothing changes. */
static bool as_listed(u32 number, u32 way)
{
	bool supervisor = (number & 16) != 0;
	bool fine;

	by(mfspr_word(number), 0, 0);
	u32 value = context.gpr[3];
	fine = (way & READ) != 0 ? stopped() : refused(ESR_ILLEGAL);
	if ((way & WRITE) == 0) {
		by(mtspr_word(number), value, 0);
		fine = fine && refused(ESR_ILLEGAL);
	} else if ((way & READ) != 0) {
		by(mtspr_word(number), value, 0);
		fine = fine && stopped();
	}
	by(mfspr_word(number), 0, MSR_PR);
	fine = fine && (supervisor ? refused(ESR_PRIVILEGED) : (way & READ) != 0 ? stopped() : refused(ESR_ILLEGAL));
	if (supervisor) {
		by(mtspr_word(number), value, MSR_PR);
		fine = fine && refused(ESR_PRIVILEGED);
	}
	return fine;
}

static void listed(void)
{
	for (u32 k = 0; k < sizeof all / sizeof *all; k++) {
		bool fine = as_listed(all[k].number, all[k].way & BOTH);
		const char *what = text(all[k].name, all[k].number & 16 ? ": the supervisor's" : ": everybody's");
		if ((all[k].way & TCG_LACKS) != 0)
			check_not_tcg(fine, what);
		else
			check(fine, what);
	}
}

static bool is_listed(u32 number)
{
	for (u32 k = 0; k < sizeof all / sizeof *all; k++)
		if (all[k].number == number)
			return true;
	return false;
}

static void absent(void)
{
	bool supervisor = true, user = true;
	u32 first = 0;

	for (u32 number = 0; number < 1024; number++) {
		if (is_listed(number))
			continue;
		by(mfspr_word(number), 0, 0);
		if (!refused(ESR_ILLEGAL)) {
			supervisor = false;
			if (first == 0)
				first = number;
		}
		by(mfspr_word(number), 0, MSR_PR);
		user = user && refused((number & 16) != 0 ? ESR_PRIVILEGED : ESR_ILLEGAL);
	}
	if (!supervisor && !on_tcg)
		note("first", first);
	check_not_tcg(supervisor, "all other numbers: illegal for the supervisor");
	check_not_tcg(user, "for a user, privileged or illegal by the bit of the number");
}

static void values(void)
{
	check(mfspr(PVR) >> 16 == 0x8023, "PVR: an e500mc");
	check((mfspr(L1CFG0) & 0x7ff) == 0x20, "L1CFG0: 32 KiB");
	check((mfspr(L1CFG0) >> 11 & 0xff) == 7, "8 ways");
	check_not_tcg((mfspr(L1CFG0) >> 23 & 3) == 1, "lines of 64 bytes");
	check((mfspr(L1CFG1) & 0x7ff) == 0x20, "L1CFG1: 32 KiB");
	mtspr(IVPR, mfspr(IVPR) | 0xffff);
	check((mfspr(IVPR) & 0xffff) == 0, "IVPR: the lower half reads 0");
	u32 was = mfspr(402);
	mtspr(402, 0xffffffff);
	check_not_tcg(mfspr(402) == 0xfff0, "IVOR2: sixteen bits, the last four of which read 0");
	mtspr(402, was);
	mtspr(272, 0x12345678);
	mtspr(275, 0x87654321);
	check(mfspr(272) == 0x12345678, "SPRG0 keeps what is written");
	check(mfspr(259) == 0x87654321, "a user's SPRG3 is the supervisor's");
	mtspr(276, 0x1111);
	mtspr(279, 0x7777);
	check(mfspr(260) == 0x1111 && mfspr(263) == 0x7777, "and SPRG4 to SPRG7");
	mtspr(SRR0, 0xffffffff);
	check_not_tcg(mfspr(SRR0) == 0xfffffffc, "SRR0: the last two bits read 0");
	mtspr(MCSR, 0xffffffff);
	check_not_tcg(mfspr(MCSR) == 0, "MCSR is cleared by ones");
	by(mfspr_word(1), 0, MSR_PR);
	check(stopped(), "XER is a user's");
	mtspr(MAS7, 0xffffffff);
	check_not_tcg(mfspr(MAS7) == 0xf, "MAS7: 36 bits of physical address");
	mtspr(MAS7, 0);
	mtspr(L1CSR0, 0x2);
	check(mfspr(L1CSR0) == 0, "L1CSR0[DCFI] clears itself");
	mtspr(L1CSR1, 0x2);
	check(mfspr(L1CSR1) == 0, "L1CSR1[ICFI] too");
}

void register_tests(void)
{
	listed();
	absent();
	values();
}
