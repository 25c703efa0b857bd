/** How one calls Waypost where this was started: for lines to type. */
export const programName = import.meta.url.endsWith('.ts')
  ? 'bin/waypost'
  : process.env.npm_command === 'exec'
    ? 'npx waypost'
    : 'waypost'
