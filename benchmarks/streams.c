/* Reads many streams of server-sent events at once and counts them, with as little CPU as it can: it shares its core with
 * the database and the engine. streams.py compiles and runs it; stream_reader.py does the same in Python.
 *
 *   streams PORT CONNECTIONS SECONDS WARM_SECONDS SPREAD_SECONDS < one whole HTTP request
 *
 * Every connection sends the request again as soon as its stream has ended. The first requests are spread evenly over
 * SPREAD_SECONDS. Events are counted after WARM_SECONDS; streams that run at the end are cut off and judged by nobody.
 * Prints one line of JSON: {"chunks": …, "seconds": …, "streams": …, "errors": …, "ttft_us": […]}. A stream is an error
 * when its status is not 200, when it ends without `data: [DONE]`, or when its connection breaks. The time to the first
 * token is that to the second event: the first one only says who speaks. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { HEAD_BYTES = 8192, READ_BYTES = 1 << 16, MOST_SAMPLES = 1 << 20, MOST_REQUEST = 1 << 16 };
enum state { IDLE, HEAD, SIZE, SIZE_END, DATA, DATA_END, TRAILER };

static const char DONE[] = "data: [DONE]";

struct connection {
    int fd;
    enum state state;
    double starts, sent;
    size_t head_length, left, matched; /* matched: how much of DONE this event has begun with */
    int bad_status, line_is_empty, event_is_done, done, events, trailer_length;
    char head[HEAD_BYTES];
};

static char request[MOST_REQUEST];
static size_t request_length;
static struct sockaddr_in address;
static int poller;
static double warm_until;
static uint64_t chunks, streams, errors;
static uint32_t *samples;
static size_t sample_count;

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static void give_up(const char *what) {
    perror(what);
    exit(1);
}

static void open_connection(struct connection *c) {
    int one = 1;
    c->fd = socket(AF_INET, SOCK_STREAM, 0);
    if (c->fd < 0 || connect(c->fd, (struct sockaddr *)&address, sizeof address) < 0) give_up("connect");
    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    struct epoll_event interest = {.events = EPOLLIN, .data.ptr = c};
    if (epoll_ctl(poller, EPOLL_CTL_ADD, c->fd, &interest) < 0) give_up("epoll_ctl");
    c->state = IDLE;
}

static void begin_event(struct connection *c) {
    c->matched = 0;
    c->line_is_empty = 1;
    c->event_is_done = 0;
}

static void send_request(struct connection *c) {
    c->sent = now();
    c->state = HEAD;
    c->head_length = c->left = 0;
    c->bad_status = c->done = c->events = 0;
    begin_event(c);
    /* A request fits the empty buffer of a socket, so a short write is a broken connection; reading will say so. */
    if (send(c->fd, request, request_length, MSG_NOSIGNAL) != (ssize_t)request_length) c->bad_status = 1;
}

static void fail(struct connection *c, double at) {
    errors++;
    close(c->fd);
    open_connection(c);
    c->starts = at + 0.1; /* a server that refuses everybody is not to be hammered */
}

static void end_event(struct connection *c, double at) {
    if (c->event_is_done) {
        c->done = 1;
    } else {
        if (at >= warm_until) chunks++;
        if (++c->events == 2 && sample_count < MOST_SAMPLES) samples[sample_count++] = (uint32_t)((at - c->sent) * 1e6);
    }
    begin_event(c);
}

/* Events end with an empty line; JSON has no bare line ends, so that only line ends need to be looked for. */
static void read_data(struct connection *c, const char *data, const char *end, double at) {
    while (data < end) {
        if (*data == '\n') {
            if (c->line_is_empty) end_event(c, at);
            c->line_is_empty = 1;
            c->matched = 0;
            data++;
            continue;
        }
        c->line_is_empty = 0;
        while (data < end && c->matched < sizeof DONE - 1 && *data == DONE[c->matched]) {
            data++;
            c->matched++;
        }
        if (c->matched == sizeof DONE - 1) c->event_is_done = 1;
        if (data == end) return;
        if (*data != '\n') {
            c->matched = sizeof DONE; /* this line is another one */
            data = memchr(data, '\n', (size_t)(end - data));
            if (data == NULL) return;
        }
    }
}

static const char *read_head(struct connection *c, const char *data, const char *end) {
    while (data < end) {
        if (c->head_length == HEAD_BYTES - 1) {
            c->bad_status = 1;
            return end;
        }
        c->head[c->head_length++] = *data++;
        if (c->head_length >= 4 && memcmp(c->head + c->head_length - 4, "\r\n\r\n", 4) == 0) {
            c->head[c->head_length] = 0;
            if (strncmp(c->head, "HTTP/1.1 200 ", 13) != 0) c->bad_status = 1;
            if (strcasestr(c->head, "\r\ntransfer-encoding: chunked\r\n") == NULL) c->bad_status = 1;
            c->state = SIZE;
            return data;
        }
    }
    return data;
}

static int hexadecimal(char digit) {
    if (digit >= '0' && digit <= '9') return digit - '0';
    digit |= 32;
    return digit >= 'a' && digit <= 'f' ? digit - 'a' + 10 : -1;
}

/* Returns 0 when the stream has come to its end, well or badly. */
static int read_bytes(struct connection *c, const char *data, const char *end, double at) {
    while (data < end && !c->bad_status) {
        switch (c->state) {
        case HEAD: data = read_head(c, data, end); break;
        case SIZE:
            if (hexadecimal(*data) >= 0) c->left = c->left * 16 + (size_t)hexadecimal(*data);
            else if (*data == '\r') c->state = SIZE_END;
            else c->bad_status = 1;
            data++;
            break;
        case SIZE_END:
            data++;
            c->state = c->left ? DATA : TRAILER;
            c->trailer_length = 0;
            break;
        case DATA: {
            size_t piece = (size_t)(end - data) < c->left ? (size_t)(end - data) : c->left;
            read_data(c, data, data + piece, at);
            data += piece;
            c->left -= piece;
            if (c->left == 0) c->state = DATA_END;
            break;
        }
        case DATA_END:
            if (*data++ == '\n') c->state = SIZE;
            break;
        case TRAILER:
            data++;
            if (++c->trailer_length == 2) return 0;
            break;
        case IDLE: c->bad_status = 1; break;
        }
    }
    return !c->bad_status;
}

static void on_readable(struct connection *c, char *buffer) {
    ssize_t length = recv(c->fd, buffer, READ_BYTES, MSG_DONTWAIT);
    if (length < 0 && (errno == EAGAIN || errno == EINTR)) return;
    double at = now();
    if (length <= 0) {
        if (c->state != IDLE) {
            fail(c, at);
            return;
        }
        close(c->fd); /* closed between two streams: the server's right */
        open_connection(c);
        return;
    }
    if (read_bytes(c, buffer, buffer + length, at)) return;
    if (c->bad_status || !c->done) {
        fail(c, at);
        return;
    }
    streams++;
    send_request(c);
}

static void print_result(double seconds) {
    printf("{\"chunks\": %lu, \"seconds\": %.6f, \"streams\": %lu, \"errors\": %lu, \"ttft_us\": [", (unsigned long)chunks,
           seconds, (unsigned long)streams, (unsigned long)errors);
    for (size_t i = 0; i < sample_count; i++) printf(i ? ",%u" : "%u", samples[i]);
    printf("]}\n");
}

static void allow_files(rlim_t files) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur >= files) return;
    limit.rlim_cur = files < limit.rlim_max ? files : limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
}

static void start_those_due(struct connection *all, int connections, double at) {
    for (int i = 0; i < connections; i++)
        if (all[i].state == IDLE && all[i].starts <= at) send_request(&all[i]);
}

static void read_until(struct connection *all, int connections, double end) {
    static char buffer[READ_BYTES];
    static struct epoll_event ready[256];
    double next_look = 0;
    for (double at = now(); at < end; at = now()) {
        int found = epoll_wait(poller, ready, 256, 2);
        for (int i = 0; i < found; i++) on_readable(ready[i].data.ptr, buffer);
        if (at < next_look) continue;
        next_look = at + 0.002;
        start_those_due(all, connections, at);
    }
}

int main(int count, char **arguments) {
    if (count != 6) return 2;
    int connections = atoi(arguments[2]);
    double seconds = atof(arguments[3]), warm = atof(arguments[4]), spread = atof(arguments[5]);
    allow_files((rlim_t)connections + 64);
    request_length = fread(request, 1, MOST_REQUEST, stdin);
    address = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(arguments[1]))};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    struct connection *all = calloc((size_t)connections, sizeof *all);
    samples = calloc(MOST_SAMPLES, sizeof *samples);
    poller = epoll_create1(0);
    if (connections < 1 || all == NULL || samples == NULL || poller < 0) give_up("start");
    for (int i = 0; i < connections; i++) open_connection(&all[i]);
    double began = now();
    warm_until = began + warm;
    for (int i = 0; i < connections; i++) all[i].starts = began + spread * i / connections;
    read_until(all, connections, began + seconds);
    print_result(now() - warm_until);
    return 0;
}
