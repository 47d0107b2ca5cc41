#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Draws what the harness measured: for each program, how many times as fast as each peer this library is.

usage: bench/plot.py RESULTS.json [--groups main,micro,...] [--by min] > figure.svg

RESULTS.json is what `make bench JSON=RESULTS.json` wrote. One panel for each mode that has peers, one line for each program, one
mark for each peer; right of the line at 1 this library is the faster one. The loops of one instruction are left out unless
--groups names them.
"""
import argparse
import html
import json
import math

ROW, LABEL, PANEL, GAP, TOP, BOTTOM = 17, 252, 290, 54, 92, 44
LEAST, MOST = 0.25, 32.0
COLOURS = ['#d55e00', '#0072b2', '#009e73', '#cc79a7', '#7a5c00', '#56b4e9', '#444444']  # told apart by most eyes
SHAPES = ['circle', 'square', 'diamond', 'up', 'down', 'circle', 'square']
TITLES = {'execute': 'execute: the message, warm', 'total': 'total: the message, with analysis',
          'transaction': 'transaction: the whole of it'}


def text(x, y, content, size=11, anchor='start', weight='normal', colour='#222'):
    return (f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" text-anchor="{anchor}" font-weight="{weight}" fill="{colour}">'
            f'{html.escape(content)}</text>')


def line(x1, y1, x2, y2, colour='#ddd', width=1):
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{colour}" stroke-width="{width}"/>'


def mark(x, y, index):
    colour, shape, r = COLOURS[index % len(COLOURS)], SHAPES[index % len(SHAPES)], 4
    if shape == 'circle':
        return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{r}" fill="{colour}" fill-opacity="0.85"/>'
    points = {
        'square': [(-r, -r), (r, -r), (r, r), (-r, r)], 'diamond': [(0, -r - 1), (r + 1, 0), (0, r + 1), (-r - 1, 0)],
        'up': [(0, -r - 1), (r, r), (-r, r)], 'down': [(0, r + 1), (r, -r), (-r, -r)],
    }[shape]
    joined = ' '.join(f'{x + dx:.1f},{y + dy:.1f}' for dx, dy in points)
    return f'<polygon points="{joined}" fill="{colour}" fill-opacity="0.85"/>'


class Figure:
    def __init__(self, results, groups, by):
        self.by = by
        self.machines = [m['name'] for m in results['machines']]
        self.versions = {m['name']: m['version'] for m in results['machines']}
        self.rows = [r for r in results['rows'] if (r['group'] in groups if groups else r['group'] != 'loops')]
        self.modes = [m for m in ('execute', 'total', 'transaction')
                      if any(r['mode'] == m and len(r['ns']) > 1 for r in self.rows)]
        self.programs = list(dict.fromkeys(r['program'] for r in self.rows))
        self.date = results['date'][:10]

    def ratio(self, row, machine):
        times = row['ns']
        if machine not in times or self.machines[0] not in times:
            return None
        return times[machine][self.by] / times[self.machines[0]][self.by]

    def x_of(self, panel, ratio):
        at = (math.log(min(max(ratio, LEAST), MOST)) - math.log(LEAST)) / (math.log(MOST) - math.log(LEAST))
        return LABEL + panel * (PANEL + GAP) + at * PANEL

    def y_of(self, program):
        return TOP + (self.programs.index(program) + 0.5) * ROW

    def axis(self, panel, mode):
        bottom = TOP + len(self.programs) * ROW
        out = [text(self.x_of(panel, LEAST), TOP - 30, TITLES[mode], 12, weight='bold')]
        tick = LEAST
        while tick <= MOST:
            x = self.x_of(panel, tick)
            out.append(line(x, TOP, x, bottom, '#333' if tick == 1 else '#ddd', 1.4 if tick == 1 else 1))
            out.append(text(x, TOP - 6, f'{tick:g}', 10, 'middle'))
            out.append(text(x, bottom + 14, f'{tick:g}', 10, 'middle'))
            tick *= 2
        return out

    def panel(self, panel, mode):
        out = self.axis(panel, mode)
        for row in self.rows:
            if row['mode'] != mode:
                continue
            beyond = {}
            for index, machine in enumerate(self.machines[1:]):
                ratio = self.ratio(row, machine)
                if ratio is None:
                    continue
                x, y = self.x_of(panel, ratio), self.y_of(row['program'])
                out.append(f'<g><title>{html.escape(row["program"])}, {html.escape(machine)}: {ratio:.2f}</title>')
                out.append(mark(x, y, index) + '</g>')
                if ratio > MOST:  # off the scale: the number nearest to it stands beside the marks
                    beyond[x + 7, 'start'] = min(ratio, beyond.get((x + 7, 'start'), ratio))
                elif ratio < LEAST:
                    beyond[x - 7, 'end'] = max(ratio, beyond.get((x - 7, 'end'), ratio))
            for (x, anchor), ratio in beyond.items():
                out.append(text(x, y + 4, f'{ratio:.0f}…' if ratio > 1 else f'…{ratio:.2f}', 9, anchor))
        return out

    def legend(self, width):
        out, x = [], LABEL
        for index, machine in enumerate(self.machines[1:]):
            name = f'{machine} ({self.versions[machine].split(",")[0]})'
            out += [mark(x, 34, index), text(x + 9, 38, name, 11)]
            x += 26 + 6.3 * len(name)
        return out

    def svg(self):
        width = LABEL + len(self.modes) * (PANEL + GAP) + 10
        height = TOP + len(self.programs) * ROW + BOTTOM
        out = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}" '
               'font-family="Helvetica, Arial, sans-serif">', f'<rect width="{width}" height="{height}" fill="white"/>',
               text(10, 18, f'Time of the peer over time of {self.versions[self.machines[0]].split(",")[0]}: '
                    'right of 1, this library is faster', 13, weight='bold')]
        out += self.legend(width)
        for program in self.programs:
            y, index = self.y_of(program), self.programs.index(program)
            if index % 2 == 0:
                out.append(f'<rect x="0" y="{y - ROW / 2:.1f}" width="{width}" height="{ROW}" fill="#f6f6f6"/>')
            out.append(text(LABEL - 12, y + 4, program, 10.5, 'end'))
        for panel, mode in enumerate(self.modes):
            out += self.panel(panel, mode)
        out.append(text(10, height - 10, f'bench/plot.py, {"medians" if self.by == "median" else "minima"}, {self.date}', 10,
                        colour='#777'))
        return '\n'.join(out + ['</svg>'])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('results')
    parser.add_argument('--groups', type=lambda s: s.split(','))
    parser.add_argument('--by', choices=['median', 'min'], default='median')
    given = parser.parse_args()
    with open(given.results) as f:
        figure = Figure(json.load(f), given.groups, given.by)
    if not figure.modes:
        raise SystemExit('plot.py: nothing was measured on two machines in these groups')
    print(figure.svg())


if __name__ == '__main__':
    main()
