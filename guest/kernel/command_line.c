#include "kernel.h"
#include "string.h"

/* The words of the command line are separated by blanks; a boot loader may have put a file name in front. */
static const char *next_word(const char *at, size_t *length)
{
	while (*at == ' ')
		at++;
	*length = 0;
	while (at[*length] && at[*length] != ' ')
		++*length;
	return at;
}

bool option_present(const char *word)
{
	size_t length;

	for (const char *at = next_word(boot.command_line, &length); length > 0; at = next_word(at + length, &length))
		if (length == strlen(word) && strncmp(at, word, length) == 0)
			return true;
	return false;
}

bool option_given(const char *name)
{
	size_t length;

	for (const char *at = next_word(boot.command_line, &length); length > 0; at = next_word(at + length, &length))
		if (length > strlen(name) && strncmp(at, name, strlen(name)) == 0 && at[strlen(name)] == '=')
			return true;
	return false;
}

/* The first word which gives a number: the same name may have words of other kinds. */
u32 option_number(const char *name)
{
	size_t length, before = strlen(name) + 1;
	const char *end;

	for (const char *at = next_word(boot.command_line, &length); length > 0; at = next_word(at + length, &length))
		if (length > before && strncmp(at, name, before - 1) == 0 && at[before - 1] == '=' &&
		    at[before] >= '0' && at[before] <= '9')
			return parse_number(at + before, &end);
	return 0;
}

/* False where there is none or it does not fit with the zero behind it. */
bool option_text(const char *name, char *to, size_t size)
{
	size_t length, before = strlen(name) + 1;

	for (const char *at = next_word(boot.command_line, &length); length > 0; at = next_word(at + length, &length)) {
		if (length <= before || strncmp(at, name, before - 1) != 0 || at[before - 1] != '=')
			continue;
		if (length - before >= size)
			return false;
		memcpy(to, at + before, length - before);
		to[length - before] = 0;
		return true;
	}
	return false;
}

bool option_is(const char *name, const char *value)
{
	char word[64];

	kformat(word, sizeof(word), "%s=%s", name, value);
	return option_present(word);
}
