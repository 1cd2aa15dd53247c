#include "x86.h"

/* Counter 0 in mode 0: output rises, and interrupts, once the count is through (8254 datasheet, mode definitions). */
void i8254_one_shot(u32 us)
{
	u32 count = (u32)((u64)us * I8254_HZ / 1000000);

	out8(I8254_PORT + 3, 0x30);
	out8(I8254_PORT, (u8)count);
	out8(I8254_PORT, (u8)(count >> 8));
}
