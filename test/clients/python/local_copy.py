"""A copy of the owner's certificates, messages and devices that is brought forward (reading.md, Local copies)."""

from postern import Epoch, PosternError, check, dec, enc, mac, place_of, row_hash, row_key, sha256, table_root

COPIED = {1: "devices", 2: "certificates", 3: "messages"}


class LocalCopy:
    """`kept` is what the caller keeps between two runs, replaced as a whole: None, or what {@link sync} last gave to `keep`."""

    def __init__(self, device, kept, keep):
        self.device, self.keep = device, keep
        self.how = self.base = None
        if kept is not None:
            self._reopen(kept)

    def sync(self):
        """Brings the copy to the device's newest head; `how` says what it took: nothing, changes, lists, everything."""
        for _ in range(5):
            try:
                self.device.fetch_state()
                return self._sync()
            except PosternError as error:
                if error.code not in ("epoch_gone", "moved"):
                    raise
        raise PosternError("network", "the state does not come to rest")

    def _sync(self):
        device, base = self.device, self.base
        head = device.head_hash
        ways = [self._everything]
        if base is not None and base["incarnation"] == device.incarnation:
            if base["hash"] == head:
                self.how = "nothing"
                return
            if device.listed is not None and device.listed <= base["generation"]:  # COPY-01: not otherwise
                ways.insert(0, self._lists)
            if base["epoch"] == device.epoch:
                ways.insert(0, self._changes)
        for way in ways:
            try:
                rows, carried = way()
            except PosternError as error:
                if error.code != "epoch_gone" or way != self._changes:
                    raise
                continue
            check(device.head_hash == head, "moved", "the state went on meanwhile")
            if not carried:
                for table in COPIED:
                    device.check_table(table, rows[table])  # TREE-04
            device.check_table(1, rows[1])
            if _content_root(device.at, rows) == device.content_root:  # COPY-03
                self.how = way.__name__[1:]
                self._take(rows, carried)
                return
            check(carried, "tampered", "contents")
        raise PosternError("tampered", "contents")

    def _everything(self):
        return {table: self.device.whole_table(name) for table, name in COPIED.items()}, False

    def _changes(self):
        """Within an epoch: what leads from the base's generation to the head's."""
        device, base = self.device, self.base
        rows = {table: dict(of) for table, of in base["rows"].items()}
        span = f"epoch={device.epoch}&since={base['generation']}&at={device.generation}"
        for table, name in COPIED.items():
            after = b""
            while after is not None:
                query = span + (f"&after={after.hex()}" if after else "")
                values = device.request("GET", f"/changes/{name}", query)
                added = {device.key_of(table, row): row for row in values["rows"]}
                removed = [row_key(*one) for one in values["removed"]]
                keys = sorted([*added, *removed])
                in_order = keys == sorted(set(keys)) and list(added) == sorted(added) and removed == sorted(removed)
                check(in_order and all(key > after for key in keys), "tampered", "order of changes")
                check(values["next"] in (None, *keys[-1:]), "tampered", "next")  # READ-08
                rows[table].update(added)
                for key in removed:
                    rows[table].pop(key, None)  # COPY-02: a carried copy lacks cover rows
                after = values["next"]
        return rows, base["carried"]

    def _lists(self):
        """From one epoch to another: what the change lists name is fetched, all else is sealed anew (COPY-02)."""
        device, base = self.device, self.base
        generation, named = device.generation, {}
        for _, plain in device.whole_list("changes", "generations", "", base["generation"] + 1):
            named.update({tuple(change[:4]): change[4] for change in plain[2]})
        rows = {1: device.whole_table("devices"), 2: {}, 3: {}}
        for table in (2, 3):
            for row in base["rows"][table].values():
                token, number, plain = base["at"].open_row(row, table)
                place = place_of(base["at"], table, token, number, dec(plain))
                if place is not None and (table, *place, number) not in named:
                    self._seal(rows, table, place, number, plain)
        for (table, kind, name, number), content in named.items():
            if table == 1 or content is None:
                continue
            found, _ = device.list(COPIED[table], kind, name, f"from={number}", 1)
            for at, plain in found:
                if at == number and plain[0] != "cover":
                    self._seal(rows, table, (kind, name), number, enc(plain))
        check(device.generation == generation, "moved", "the state went on meanwhile")
        return rows, True

    def _seal(self, rows, table, place, number, plain):
        token = self.device.at.token(table, *place)
        rows[table][row_key(token, number)] = self.device.at.seal_row(table, token, number, plain)

    def _take(self, rows, carried):
        device = self.device
        note = _note(device.at, device.head_hash, rows) if carried else None
        self.base = {**_base_of(device), "rows": rows, "carried": carried}
        self.keep([device.signed_head, device.memory["statement"][1], note, [list(rows[table].values()) for table in COPIED]])

    def _reopen(self, kept):
        """COPY-04, COPY-05: under the remembered statement, the head as if an edge had shown it; what fails is forgotten."""
        signed, statement, note, kept_rows = kept
        device = self.device
        try:
            if statement != device.memory["statement"][1]:
                return
            base = device.reopened(signed, kept_rows[0])
            rows = {table: {} for table in COPIED}
            for table, stored in zip(COPIED, kept_rows):
                for row in stored:
                    token, number, plain = base["at"].open_row(row, table)
                    place_of(base["at"], table, token, number, dec(plain))
                    rows[table][row_key(token, number)] = row
            whole = [1] if note is not None else list(COPIED)
            same = all([len(rows[t]), _root(rows[t])] == base["tables"][t] for t in whole)
            check(same and note in (None, _note(base["at"], base["hash"], rows)), "tampered", "copy")
            self.base = {**base, "rows": rows, "carried": note is not None}
        except PosternError:
            self.base = None


def _base_of(device):
    return {"incarnation": device.incarnation, "epoch": device.epoch, "generation": device.generation,
            "hash": device.head_hash, "at": device.at}  # fmt: skip


def _root(rows):
    return table_root({key: row_hash(row) for key, row in rows.items()})


def _note(at: Epoch, head_hash, rows):
    states = [[table, len(rows[table]), _root(rows[table])] for table in (2, 3)]
    return mac(at.key("row-mac", 1), enc(["postern/1/copy", *at.context, head_hash, states]))


def _content_root(at, rows):
    """TREE-05 over what a copy holds; cover rows are no contents."""
    leaves = {}
    for table in COPIED:
        for row in rows[table].values():
            token, number, plain = at.open_row(row, table)
            place = place_of(at, table, token, number, dec(plain))
            if place is not None:
                name = sha256(enc(["postern/1/content-name", table, *place, number]))
                leaves[name + bytes(8)] = sha256(enc(["postern/1/content", plain]))
    return table_root(leaves)
