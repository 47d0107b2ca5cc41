#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes the tables of bench/README.md from what the harness measured.

usage: bench/summary.py RESULTS.json [--by min] [--rows GROUP,...]

For each mode: geometric mean and least ratio of every group, against each peer and against the fastest of the EVMC peers on each
program ("best"). A ratio is the peer's time over that of this library. --rows lists the programs of these groups too.
"""
import argparse
import json
import math


def time_text(ns):
    for unit, name in ((1e6, 'ms'), (1e3, 'µs')):
        if ns >= unit:
            return f'{ns / unit:.3g} {name}'
    return f'{ns:.3g} ns'


def ratio_text(ratio):
    return '' if ratio is None else f'{ratio:.2f}' if ratio < 100 else f'{ratio:.0f}'


class Mode:
    """The rows of one mode, with their ratios by column; "best" is a column when there are two peers or more."""

    def __init__(self, results, mode, by):
        self.rows = [r for r in results['rows'] if r['mode'] == mode and len(r['ns']) > 1]
        names = [m['name'] for m in results['machines']]
        self.own, self.by = names[0], by
        self.peers = [n for n in names[1:] if any(n in r['ns'] for r in self.rows)]
        self.columns = self.peers + (['best'] if mode != 'transaction' and len(self.peers) > 1 else [])

    def ratio(self, row, column):
        ratios = {p: row['ns'][p][self.by] / row['ns'][self.own][self.by] for p in self.peers if p in row['ns']}
        return min(ratios.values()) if column == 'best' else ratios.get(column)

    def groups(self):
        return list(dict.fromkeys(r['group'] for r in self.rows))

    def summary(self, group, column):
        ratios = [self.ratio(r, column) for r in self.rows if r['group'] == group]
        ratios = [r for r in ratios if r is not None]
        return f'{ratio_text(math.exp(sum(map(math.log, ratios)) / len(ratios)))} ({ratio_text(min(ratios))})'

    def table(self, title, head, lines):
        print(f'\n| {title} | ' + ' | '.join(head) + ' |')
        print('| --- |' + ' ---: |' * len(head))
        for line in lines:
            print('| ' + ' | '.join(line) + ' |')


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('results')
    parser.add_argument('--by', choices=['median', 'min'], default='median')
    parser.add_argument('--rows', type=lambda s: s.split(','), default=[])
    given = parser.parse_args()
    with open(given.results) as f:
        results = json.load(f)
    for name in ('execute', 'total', 'transaction'):
        mode = Mode(results, name, given.by)
        if not mode.rows:
            continue
        mode.table(name, mode.columns,
                   ([f'{g} ({sum(r["group"] == g for r in mode.rows)})'] + [mode.summary(g, c) for c in mode.columns]
                    for g in mode.groups()))
        rows = [r for r in mode.rows if r['group'] in given.rows]
        if rows:
            mode.table(name, ['time'] + mode.columns,
                       ([r['program'], time_text(r['ns'][mode.own][given.by])] +
                        [ratio_text(mode.ratio(r, c)) for c in mode.columns] for r in rows))


if __name__ == '__main__':
    main()
