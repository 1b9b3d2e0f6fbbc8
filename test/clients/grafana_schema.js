// The dashboards of docs/monitoring are what Grafana's published types say.
'use strict';

const fs = require('fs');
const path = require('path');
const ts = require('typescript');

const folder = path.join(__dirname, '../../docs/monitoring');
const types = path.join(path.dirname(require.resolve('@grafana/schema/package.json')),
  'dist/esm/raw/dashboard/x/dashboard_types.gen');

// Grafana's enumerations of words are their words in a file
const words = `
import type { Dashboard } from ${JSON.stringify(types)};
type Words<T> = T extends string ? \`\${T}\` : T extends number ? number :
  T extends (infer U)[] ? Words<U>[] : T extends object ? { [K in keyof T]: Words<T[K]> } : T;
export type Board = Words<Dashboard>;
`;

// What an export has beside the dashboard, and what an annotation has for its data source
function plain(board) {
  for (const key of Object.keys(board)) {
    if (key.startsWith('__')) delete board[key];
  }
  for (const annotation of board.annotations.list) {
    for (const key of ['expr', 'step', 'titleFormat', 'textFormat', 'tagKeys']) delete annotation[key];
  }
  return board;
}

function complaints(source) {
  const options = {
    noEmit: true, strict: true, skipLibCheck: true, types: [], target: ts.ScriptTarget.ES2022,
    module: ts.ModuleKind.ESNext, moduleResolution: ts.ModuleResolutionKind.Bundler,
  };
  const name = path.join(__dirname, 'board.ts');
  const host = ts.createCompilerHost(options);
  const { getSourceFile, fileExists, readFile } = host;
  host.fileExists = (file) => file === name || fileExists.call(host, file);
  host.readFile = (file) => (file === name ? source : readFile.call(host, file));
  host.getSourceFile = (file, ...rest) => (file === name ?
    ts.createSourceFile(file, source, ts.ScriptTarget.ES2022) : getSourceFile.call(host, file, ...rest));
  return ts.getPreEmitDiagnostics(ts.createProgram([name], options, host))
    .map((one) => ts.flattenDiagnosticMessageText(one.messageText, '\n'));
}

let failures = 0;
function check(name, good, detail) {
  failures += !good;
  console.log((good ? 'ok - ' : 'not ok - ') + name + (good ? '' : ': ' + detail));
}

for (const file of ['grafana_dashboard.json', 'grafana_fleet.json']) {
  const board = plain(JSON.parse(fs.readFileSync(path.join(folder, file), 'utf8')));
  const text = (value) => words + 'export const board: Board = ' + JSON.stringify(value) + ';\n';
  const found = complaints(text(board));
  check(file + ': as Grafana has it', found.length === 0, found.join('\n'));

  // what is wrong is seen
  check(file + ': a word that there is not', complaints(text({ ...board, refreshes: '1m' })).length > 0);
  check(file + ': a panel without a type',
    complaints(text({ ...board, panels: [{ ...board.panels[0], type: undefined }] })).length > 0);
}
process.exit(failures ? 1 : 0);
