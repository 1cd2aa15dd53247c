#include "net.h"
#include "string.h"

u16 get16(const u8 *at)
{
	return (u16)(at[0] << 8 | at[1]);
}

u32 get32(const u8 *at)
{
	return (u32)get16(at) << 16 | get16(at + 2);
}

void put16(u8 *at, u16 value)
{
	at[0] = (u8)(value >> 8);
	at[1] = (u8)value;
}

void put32(u8 *at, u32 value)
{
	put16(at, (u16)(value >> 16));
	put16(at + 2, (u16)value);
}

u16 internet_sum(const u8 *data, u32 length, u32 sum)
{
	for (; length > 1; length -= 2, data += 2)
		sum += get16(data);
	if (length == 1)
		sum += (u32)data[0] << 8;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (u16)sum;
}

bool parse_address(const char *text, u32 *address)
{
	*address = 0;
	for (int i = 0; i < 4; i++) {
		const char *end;
		u32 part = parse_number(text, &end);

		if (end == text || end - text > 3 || part > 255 || *end != (i < 3 ? '.' : 0))
			return false;
		*address = *address << 8 | part;
		text = end + 1;
	}
	return true;
}
