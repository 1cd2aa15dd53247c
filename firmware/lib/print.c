// Formatted output to the debug console and to the serial port.
#include "firmware.h"

typedef __builtin_va_list va_list;

static void both_putc(char c) {
  debug_putc(c);
  console_putc(c);
}

static void put_number(void (*put)(char), uint64 value, uint32 base, int width) {
  char digits[24];
  int n = 0;
  do {
    // base 10 is only asked of 32-bit values: no 64-bit division here
    uint32 digit = base == 16 ? (uint32)value & 15 : (uint32)value % 10;
    value = base == 16 ? value >> 4 : (uint32)value / 10;
    digits[n++] = "0123456789abcdef"[digit];
  } while (value);
  while (n < width && n < 24)
    digits[n++] = '0';
  while (n)
    put(digits[--n]);
}

static void print(void (*put)(char), const char *format, va_list args) {
  for (; *format; format++) {
    if (*format != '%') {
      put(*format);
      continue;
    }
    int width = 0;
    while (*++format >= '0' && *format <= '9')
      width = width * 10 + *format - '0';
    switch (*format) {
    case 's':
      for (const char *s = __builtin_va_arg(args, const char *); *s; s++)
        put(*s);
      break;
    case 'c':
      put(__builtin_va_arg(args, int));
      break;
    case 'd': {
      int value = __builtin_va_arg(args, int);
      if (value < 0)
        put('-');
      put_number(put, value < 0 ? -(uint32)value : (uint32)value, 10, width);
      break;
    }
    case 'u':
      put_number(put, __builtin_va_arg(args, uint32), 10, width);
      break;
    case 'x':
      put_number(put, __builtin_va_arg(args, uint32), 16, width);
      break;
    case 'X':
      put_number(put, __builtin_va_arg(args, uint64), 16, width);
      break;
    default:
      put(*format);
    }
  }
}

void debug(const char *format, ...) {
  va_list args;
  __builtin_va_start(args, format);
  print(debug_putc, format, args);
  __builtin_va_end(args);
}

void complain(const char *format, ...) {
  va_list args;
  __builtin_va_start(args, format);
  print(both_putc, "barzero firmware: ", args);
  print(both_putc, format, args);
  __builtin_va_end(args);
}

void fail(const char *format, ...) {
  va_list args;
  __builtin_va_start(args, format);
  print(both_putc, "barzero firmware: ", args);
  print(both_putc, format, args);
  __builtin_va_end(args);
  finish(1);
}
