/* SPDX-License-Identifier: Apache-2.0 */
/* What an intruder would try in a confined process, and what the program itself must still be able to do.
 * Each probe answers 0 when it worked, else errno. */
#pragma once

struct probe_place {
    const char *reads;   /* a folder that may be read; it has a file "inside" */
    const char *writes;  /* a folder that may be written */
    const char *outside; /* a folder that is none of both; it has a file "inside" */
};

typedef int (*probe_fn)(const struct probe_place *place);

int probe_exec(const struct probe_place *place);
int probe_posix_spawn(const struct probe_place *place);
int probe_ptrace(const struct probe_place *place);
int probe_read_memory(const struct probe_place *place);
int probe_packet_socket(const struct probe_place *place);
int probe_netlink_audit(const struct probe_place *place);
int probe_user_namespace(const struct probe_place *place);
int probe_namespace_by_clone(const struct probe_place *place);
int probe_io_uring(const struct probe_place *place);
int probe_bpf(const struct probe_place *place);
int probe_mount(const struct probe_place *place);
int probe_writable_code(const struct probe_place *place);
int probe_code_from_data(const struct probe_place *place);
int probe_become_root(const struct probe_place *place);
int probe_raise_limit(const struct probe_place *place);
int probe_dumpable(const struct probe_place *place);
int probe_read_outside(const struct probe_place *place);
int probe_list_outside(const struct probe_place *place);
int probe_write_outside(const struct probe_place *place);
int probe_write_where_it_reads(const struct probe_place *place);
int probe_link_into_its_folder(const struct probe_place *place);
int probe_listen_elsewhere(const struct probe_place *place);
int probe_signal_parent(const struct probe_place *place);

int probe_read_inside(const struct probe_place *place);
int probe_replace_a_file(const struct probe_place *place);
int probe_thread(const struct probe_place *place);
int probe_forked_child(const struct probe_place *place);
int probe_name_lookup(const struct probe_place *place);
int probe_listen(const struct probe_place *place);
int probe_own_figures(const struct probe_place *place);
