/**
 * Throws unless `path` names something below a folder: relative, `/` between the parts, no empty, `.` or
 * `..` part. A recipe with another path is a bug of whoever wrote the recipe.
 */
export function checkRelativePath(path: string, what: string): void {
  const parts = path.split('/')
  if (path.includes('\0') || parts.some((part) => part === '' || part === '.' || part === '..')) {
    throw new Error(`${what} ${JSON.stringify(path)} is not a plain relative path`)
  }
}

/** Whether one path is the other or lies inside it. */
export function areNested(a: string, b: string): boolean {
  return a === b || a.startsWith(`${b}/`) || b.startsWith(`${a}/`)
}
