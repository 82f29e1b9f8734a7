export const two = 'two'
