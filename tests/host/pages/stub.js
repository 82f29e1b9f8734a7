export const name = 'stub'
export default name
