import { join } from 'node:path'
import type { Service } from './compose-file.ts'
import type { LocalImage } from './containers.ts'
import { replayDockerfile } from './dockerfile.ts'
import { imageNode, moduleFolder, moduleVersion, temporalPrograms } from './programs.ts'

const SERVER = 'go.temporal.io/server'
const UI = 'github.com/temporalio/ui-server/v2'

/**
 * What each image of docker-compose.yml is on this machine, installed below `folder`. Throws where
 * the file asks for another version than the one there is.
 */
export async function localImages(
  project: string,
  folder: string,
  onProgress: (line: string) => void,
): Promise<(service: Service) => LocalImage> {
  const programs = await temporalPrograms(join(folder, 'bin'), onProgress)
  const node = await imageNode(onProgress)
  onProgress('Doing what the Dockerfile says')
  const product = await replayDockerfile({
    file: join(project, 'Dockerfile'),
    context: project,
    folder: join(folder, 'image'),
    path: node,
    onProgress,
  })
  const temporal = { env: {}, workdir: folder, path: [programs] }
  const images: Record<string, LocalImage> = {
    [`temporalio/server:${moduleVersion(SERVER)}`]: {
      ...temporal,
      command: ['temporal-server', 'start'],
    },
    [`temporalio/admin-tools:${moduleVersion(SERVER)}`]: { ...temporal, command: [] },
    [`temporalio/ui:${moduleVersion(UI)}`]: {
      ...temporal,
      // Its configuration file is in the module, and the image starts it like this.
      command: ['ui-server', '--env', 'docker', 'start'],
      workdir: await moduleFolder(UI),
    },
  }
  const own: LocalImage = {
    command: product.command,
    env: product.env,
    workdir: join(product.root, product.workdir),
    path: [...product.path, node],
  }
  return (service) => {
    const image = service.build === undefined ? images[service.image] : own
    if (image === undefined) throw new Error(`There is no ${service.image} on this machine`)
    return image
  }
}
