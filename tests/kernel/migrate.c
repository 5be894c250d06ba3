/*
 *    Licensed under the Apache License, Version 2.0 (the "License"); you may
 *    not use this file except in compliance with the License. You may obtain
 *    a copy of the License at
 *
 *         http://www.apache.org/licenses/LICENSE-2.0
 *
 *    Unless required by applicable law or agreed to in writing, software
 *    distributed under the License is distributed on an "AS IS" BASIS, WITHOUT
 *    WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied. See the
 *    License for the specific language governing permissions and limitations
 *    under the License.
 */

/*
 * Asks a VFIO device's driver for the device's state, or to load one.
 *
 *   migrate save DEVICE FILE [BAR:OFFSET=BYTE]
 *   migrate load DEVICE FILE [BAR:OFFSET=BYTE]
 *
 * DEVICE is its folder in sysfs, for instance /sys/bus/mdev/devices/UUID or
 * /sys/bus/pci/devices/0000:81:00.1; nobody else may have it open.
 *
 * save stops the device and writes its stream to FILE; with a byte (all
 * numbers are hexadecimal), that is written to one of the device's registers
 * before.  load gives the stream in FILE to the driver, starts the device, and
 * with a byte reads the register and compares.
 *
 * What the driver said goes to standard output, in one line of JSON: the bytes
 * of the stream, or the step that it refused and the error.  Exit status: 0
 * done, 1 refused by the driver, 2 the question could not be put to it.
 *
 * The states and the order of the steps: linux/vfio.h, enum
 * vfio_device_mig_state, "any to any" transitions included.
 */

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <linux/vfio.h>

/* A register of the device, and a byte for it. */
struct mark {
	int given;
	unsigned int bar;
	unsigned long offset;
	unsigned char byte;
};

static void give_up(const char *what)
{
	fprintf(stderr, "migrate: %s: %s\n", what, strerror(errno));
	exit(2);
}

static void refuse(const char *step)
{
	printf("{\"done\": false, \"at\": \"%s\", \"error\": \"%s\"}\n", step,
	       strerrorname_np(errno));
	exit(1);
}

/* The VFIO group that a device is in, opened. */
static int open_group(const char *device)
{
	char link[PATH_MAX + sizeof("/iommu_group")], found[PATH_MAX];
	char path[PATH_MAX + sizeof("/dev/vfio/")];
	ssize_t length;
	int group;

	snprintf(link, sizeof(link), "%s/iommu_group", device);
	length = readlink(link, found, sizeof(found) - 1);
	if (length < 0)
		give_up(link);
	found[length] = '\0';
	snprintf(path, sizeof(path), "/dev/vfio/%s", basename(found));
	group = open(path, O_RDWR);
	if (group < 0)
		give_up(path);
	return group;
}

static int open_device(const char *name)
{
	int container = open("/dev/vfio/vfio", O_RDWR);
	char *device = realpath(name, NULL);
	int group, opened;

	if (!device)
		give_up(name);
	group = open_group(device);
	if (container < 0)
		give_up("/dev/vfio/vfio");
	if (ioctl(group, VFIO_GROUP_SET_CONTAINER, &container))
		give_up("VFIO_GROUP_SET_CONTAINER");
	if (ioctl(container, VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU))
		give_up("VFIO_SET_IOMMU");
	opened = ioctl(group, VFIO_GROUP_GET_DEVICE_FD, basename(device));
	if (opened < 0)
		give_up("VFIO_GROUP_GET_DEVICE_FD");
	free(device);
	return opened;
}

/*
 * Takes the device to a state; returns the stream's descriptor if the state
 * has one, else -1.
 */
static int set_state(int device, unsigned int state, const char *step)
{
	struct {
		struct vfio_device_feature head;
		struct vfio_device_feature_mig_state body;
	} ask;

	memset(&ask, 0, sizeof(ask));
	ask.head.argsz = sizeof(ask);
	ask.head.flags = VFIO_DEVICE_FEATURE_SET |
			 VFIO_DEVICE_FEATURE_MIG_DEVICE_STATE;
	ask.body.device_state = state;
	ask.body.data_fd = -1;
	if (ioctl(device, VFIO_DEVICE_FEATURE, &ask))
		refuse(step);
	return ask.body.data_fd;
}

static off_t place(int device, const struct mark *mark)
{
	struct vfio_region_info region = { .argsz = sizeof(region) };

	region.index = VFIO_PCI_BAR0_REGION_INDEX + mark->bar;
	if (ioctl(device, VFIO_DEVICE_GET_REGION_INFO, &region))
		give_up("VFIO_DEVICE_GET_REGION_INFO");
	return region.offset + mark->offset;
}

static void leave_mark(int device, const struct mark *mark)
{
	if (mark->given &&
	    pwrite(device, &mark->byte, 1, place(device, mark)) != 1)
		give_up("writing to the device's register");
}

static void find_mark(int device, const struct mark *mark)
{
	unsigned char found;

	if (!mark->given)
		return;
	if (pread(device, &found, 1, place(device, mark)) != 1)
		give_up("reading the device's register");
	if (found != mark->byte) {
		errno = EILSEQ;
		refuse("compare");
	}
}

/* What ends up in the file is counted. */
static long save(int device, const char *path, const struct mark *mark)
{
	char buffer[1 << 16];
	long total = 0;
	ssize_t got;
	int stream, file;

	leave_mark(device, mark);
	stream = set_state(device, VFIO_DEVICE_STATE_STOP_COPY, "save");
	file = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
	if (file < 0)
		give_up(path);
	while ((got = read(stream, buffer, sizeof(buffer))) > 0) {
		if (write(file, buffer, got) != got)
			give_up(path);
		total += got;
	}
	if (got < 0)
		refuse("read");
	if (close(file))
		give_up(path);
	close(stream);
	set_state(device, VFIO_DEVICE_STATE_STOP, "stop");
	return total;
}

static long load(int device, const char *path, const struct mark *mark)
{
	char buffer[1 << 16];
	long total = 0;
	ssize_t got, put, done;
	int file = open(path, O_RDONLY);
	int stream;

	if (file < 0)
		give_up(path);
	stream = set_state(device, VFIO_DEVICE_STATE_RESUMING, "resume");
	while ((got = read(file, buffer, sizeof(buffer))) > 0)
		for (done = 0; done < got; done += put) {
			put = write(stream, buffer + done, got - done);
			if (put < 0)
				refuse("write");
			total += put;
		}
	if (got < 0)
		give_up(path);
	close(stream);
	set_state(device, VFIO_DEVICE_STATE_STOP, "load");
	set_state(device, VFIO_DEVICE_STATE_RUNNING, "run");
	find_mark(device, mark);
	return total;
}

static int read_mark(const char *text, struct mark *mark)
{
	unsigned int byte;
	int end = 0;

	mark->given = 1;
	if (sscanf(text, "%x:%lx=%x%n", &mark->bar, &mark->offset, &byte,
		   &end) != 3 || text[end] || mark->bar > 5 || byte > 0xff)
		return 0;
	mark->byte = byte;
	return 1;
}

int main(int count, char **words)
{
	struct mark mark = { 0 };
	int saving = count > 1 && !strcmp(words[1], "save");
	int loading = count > 1 && !strcmp(words[1], "load");
	long bytes;
	int device;

	if (count < 4 || count > 5 || !(saving || loading) ||
	    (count == 5 && !read_mark(words[4], &mark))) {
		fprintf(stderr, "usage: migrate save|load DEVICE FILE "
				"[BAR:OFFSET=BYTE]\n");
		return 2;
	}
	device = open_device(words[2]);
	bytes = (saving ? save : load)(device, words[3], &mark);
	printf("{\"done\": true, \"bytes\": %ld}\n", bytes);
	return 0;
}
