/* SPDX-License-Identifier: Apache-2.0 */
#include "rpc/origin.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

enum { NAME_SIZE = 256 };

/* Whether a list of names, separated by commas, has this one, or "*". */
static bool lists(const char *list, const char *name)
{
    size_t length = strlen(name);
    while (list != NULL && *list != '\0') {
        list += strspn(list, ", ");
        size_t size = strcspn(list, ", ");
        if ((size == 1 && *list == '*') || (size == length && size != 0 && strncasecmp(list, name, size) == 0)) {
            return true;
        }
        list += size;
    }
    return false;
}

/* The name in "name:port" or "[address]:port", without brackets. False when it is none. */
static bool host_name(char out[NAME_SIZE], const char *host)
{
    bool bracket = host[0] == '[';
    const char *start = bracket ? host + 1 : host;
    size_t size = strcspn(start, bracket ? "]" : ":");
    const char *rest = start + size + (bracket && start[size] == ']' ? 1 : 0);
    if (size == 0 || size >= NAME_SIZE || (bracket && start[size] != ']')) {
        return false;
    }
    if (*rest != '\0' && (*rest != ':' || strspn(rest + 1, "0123456789") != strlen(rest + 1))) {
        return false;
    }
    memcpy(out, start, size);
    out[size] = '\0';
    return true;
}

static bool is_localhost(const char *name)
{
    static const char suffix[] = ".localhost";
    size_t size = strlen(name);
    return strcasecmp(name, "localhost") == 0 ||
           (size >= sizeof suffix && strcasecmp(name + size - (sizeof suffix - 1), suffix) == 0);
}

static bool is_loopback(const char *name)
{
    struct in_addr four;
    struct in6_addr six;
    if (inet_pton(AF_INET, name, &four) == 1) {
        return ntohl(four.s_addr) >> 24 == 127;
    }
    return inet_pton(AF_INET6, name, &six) == 1 && IN6_IS_ADDR_LOOPBACK(&six);
}

bool cevm_host_allowed(const char *host, const char *hosts)
{
    char name[NAME_SIZE];
    unsigned char address[sizeof(struct in6_addr)];
    if (host == NULL || lists(hosts, "*")) {
        return true;
    }
    if (!host_name(name, host)) {
        return false;
    }
    return is_localhost(name) || inet_pton(AF_INET, name, address) == 1 || inet_pton(AF_INET6, name, address) == 1 ||
           lists(hosts, name);
}

bool cevm_origin_allowed(const char *origin, const char *origins)
{
    static const char *const extensions[] = {"chrome-extension://", "moz-extension://", "safari-web-extension://"};
    char name[NAME_SIZE];
    if (origin == NULL) {
        return true;
    }
    if (origins != NULL) {
        return lists(origins, origin);
    }
    for (size_t i = 0; i < sizeof extensions / sizeof extensions[0]; ++i) {
        if (strncasecmp(origin, extensions[i], strlen(extensions[i])) == 0) {
            return true;
        }
    }
    const char *rest = strncasecmp(origin, "http://", 7) == 0    ? origin + 7
                       : strncasecmp(origin, "https://", 8) == 0 ? origin + 8
                                                                 : NULL;
    return rest != NULL && host_name(name, rest) && (is_localhost(name) || is_loopback(name));
}
