/*
 * Makes many runs of a tree's own scripts/kconfig/conf bearable: preloaded into it, popen() keeps the output of every
 * command in the folder named by PROBE_CACHE and answers from there the next time. Use one folder for each tree,
 * architecture and environment.
 *
 *   cc -shared -fPIC -O2 -o cachedPopen.so cached-popen.c -ldl
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

FILE *popen(const char *command, const char *mode)
{
	FILE *(*real)(const char *, const char *) = dlsym(RTLD_NEXT, "popen");
	const char *folder = getenv("PROBE_CACHE");
	uint64_t hash = 14695981039346656037u;
	char name[4096], temporary[4200], buffer[65536];
	size_t size;
	FILE *in, *out;

	if (!folder)
		return real(command, mode);
	for (const char *c = command; *c; c++)
		hash = (hash ^ (unsigned char)*c) * 1099511628211u;
	snprintf(name, sizeof(name), "%s/%016llx", folder, (unsigned long long)hash);
	in = fopen(name, "r");
	if (in)
		return in;
	in = real(command, mode);
	if (!in)
		return in;
	size = fread(buffer, 1, sizeof(buffer), in);
	((int (*)(FILE *))dlsym(RTLD_NEXT, "pclose"))(in);
	snprintf(temporary, sizeof(temporary), "%s.%d", name, (int)getpid());
	out = fopen(temporary, "w");
	fwrite(buffer, 1, size, out);
	fclose(out);
	rename(temporary, name);
	return fopen(name, "r");
}

int pclose(FILE *stream)
{
	int (*real)(FILE *) = dlsym(RTLD_NEXT, "pclose");

	return getenv("PROBE_CACHE") ? fclose(stream) : real(stream);
}
