// One JSON object a line on standard output.
export function say (object, then = () => {}) {
  process.stdout.write(JSON.stringify(object) + '\n', then)
}
